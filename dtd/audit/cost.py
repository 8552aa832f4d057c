"""What an audit will take, before it starts."""

from math import ceil, prod

import pandas as pd

from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked
from dtd.relevance import RelevanceModel
from dtd.root.units import at_once

COLUMNS = ("layer", "kind", "units", "inputs", "chunks", "coordinates")


def audit_cost(
    network: Network, inputs: Inputs, plan: Plan, *, memory: int = 2**28, units: int | None = None
) -> pd.DataFrame:
    """What :func:`dtd.audit` will build for each layer with a :class:`RelevanceModel`: a bound, nothing is computed.

    Columns: ``layer``, ``kind``; ``units``, at most as many (those without relevance are left out); ``inputs`` of the
    largest receptive field; ``chunks`` that fit in ``memory`` bytes; ``coordinates``, ``samples × units × inputs``, for each
    root that a unit has. Layers with explicit rules have no roots and no row.

    Arguments are those of :func:`dtd.audit`.

    Raises:
        InputError, DomainError, PlanError: an input or plan that does not fit.
        BudgetError: one unit alone needs more than ``memory``.

    One sample, one unit, two inputs.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> rows = dtd.audit_cost(net, torch.ones(1, 2), dtd.Plan.uniform("wsquare"))
    >>> rows[["units", "inputs", "coordinates"]].iloc[0].tolist()
    [1, 2, 2]
    """
    check_asked(network, plan)
    reading = network.read(inputs)
    rows = []
    for layer, model in zip(reading.graph.layers, plan.bind(reading.graph), strict=True):
        if isinstance(model, RelevanceModel):
            fan_in, looked = layer.op.fan_in, prod(layer.shape)
            looked = looked if units is None else min(units, looked)
            found = ceil(looked / at_once(layer.op, reading.batch, memory, layer.name))
            rows.append((layer.name, layer.kind, looked, fan_in, found, reading.batch * looked * fan_in))
    return pd.DataFrame(rows, columns=list(COLUMNS))
