"""What an audit will take, before it starts."""

from math import ceil, prod

import pandas as pd
from torch import Tensor

from dtd.network.network import Network
from dtd.plan import Plan, check_asked
from dtd.relevance import RelevanceModel
from dtd.units import at_once

COLUMNS = ("layer", "kind", "units", "inputs", "chunks", "coordinates")


def audit_cost(network: Network, x: Tensor, plan: Plan, *, memory: int = 2**28, units: int | None = None) -> pd.DataFrame:
    """What :func:`dtd.audit` will build for each layer with a :class:`RelevanceModel`: a bound, nothing is computed.

    Columns: ``layer``, ``kind``; ``units``, at most as many (those without relevance are left out); ``inputs`` of the
    largest receptive field; ``chunks`` that fit in ``memory`` bytes; ``coordinates``, ``samples × units × inputs``, for each
    root that a unit has. Layers with explicit rules have no roots and no row.

    Arguments are those of :func:`dtd.audit`.

    Raises:
        InputError, DomainError, PlanError: an input or plan that does not fit.
        BudgetError: one unit alone needs more than ``memory``.
    """
    check_asked(network, plan)
    network.check_input(x)
    rows = []
    for layer, model in zip(network.layers, plan.bind(network), strict=True):
        if isinstance(model, RelevanceModel):
            inputs, looked = layer.primitive.fan_in, prod(layer.shape)
            looked = looked if units is None else min(units, looked)
            found = ceil(looked / at_once(layer.primitive, x, memory, layer.name))
            rows.append((layer.name, layer.kind, looked, inputs, found, len(x) * looked * inputs))
    return pd.DataFrame(rows, columns=list(COLUMNS))
