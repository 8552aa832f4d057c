"""Audits of the layers that have roots."""

from typing import Any

import pandas as pd

from dtd import Network, Plan, audit
from dtd.explaining.target import Target
from dtd.network.leaves import Inputs


def audited_roots(network: Network, inputs: Inputs, target: Target, plan: Plan, **options: Any) -> pd.DataFrame:
    """The rows of :func:`dtd.audit` whose layers have roots; the other layers have a balance alone."""
    table = audit(network, inputs, target, plan, **options)
    return table[table.root != ""].reset_index(drop=True)
