"""What a pass with the exact model is made of: how constant ``c_k = R_k / z_k`` is, and the rank of the relevance."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dtd.network import Network
from dtd.plan import Plan
from dtd.propagation import Context
from dtd.reference import Above, check_models, relevance_pass, sweep
from dtd.relevance.exact.expansion import Expansion, differentiated
from dtd.target import initial_relevance

RANK = 1e-6  # singular values below this share of the largest are 0


class Passed:
    """A finished pass, and the functions that it was made of."""

    def __init__(self, network: Network, models, x: Tensor, target: Tensor):
        check_models(network.layers, models, len(x))
        self.network, self.models = network.graph, models
        with torch.no_grad():
            self.swept = sweep(self.network, models, x, target)
            self.values = dict(self.swept.saved)
            self.initial, arrived = initial_relevance(self.swept.output, target), {}
            relevance, self.balances = relevance_pass(self.network, models, self.swept, self.initial, x, arrived.__setitem__)
        self.relevance: dict[int, Tensor] = {**arrived, -1: relevance}

    @classmethod
    def through(cls, network: Network, x: Tensor, target: Tensor, plan: Plan) -> "Passed":
        """The pass of a plan."""
        return cls(network, plan.bind(network), x, target)

    def above(self, position: int) -> Above:
        """The relevance of a value as a function of it."""
        return Above(self.network, self.models, self.swept, position, self.initial.abs().flatten(1).sum(1))


@torch.no_grad()
def expansions(passed: Passed, position: int) -> Iterator[Expansion]:
    """The expansions of one layer at the data points."""
    context = Context(position, passed.values[position], {}, passed.above(position))
    return passed.models[position].expansions(passed.network.layers[position], context, passed.relevance[position])


@torch.no_grad()
def expanded(passed: Passed, position: int, parts: Sequence[Expansion], i: int) -> dict[str, float | None]:
    """How constant ``c_k`` is on sample i's ways to the roots of one layer, and what became of its relevance.

    ``c_change``: median of ``|c_k(ã)/c_k(a) − 1|`` over units with a root at their own kink. ``c_slope``: median of
    ``|∇c_k(a)·(a − ã) / c_k(a)|`` over units with a root.
    """
    layer = passed.network.layers[position]
    change, slope, exists = [], [], []
    for part in parts:
        way, mine = part.ways, part.ways.samples == i
        found = part.exists & mine
        moved = (way.data - part.points).flatten(1)
        rows = layer.primitive.rows(way.units, layer.primitive.weight)
        z = layer.primitive.apply(way.data).flatten(1).gather(1, way.units[:, None])[:, 0]
        fields = layer.primitive.receptive_field(way.units)
        step = (rows * moved.gather(1, fields.clamp(min=0)) * (fields >= 0)).sum(1)  # z(a) − z(ã)
        own = found & ((z - step).abs() < 1e-9 * z.abs())
        _, gradient = differentiated(way, way.data, 1)
        relative = (gradient.flatten(1) * moved).sum(1) / part.relevance - step / z
        change.append((part.first.flatten(1).sum(1) / part.relevance - 1)[own].abs())
        slope.append(relative[found].abs())
        exists.append(found[mine])
    balance, whole = passed.balances[position], float(passed.relevance[position][i].abs().sum())
    return {
        "units": len(torch.cat(exists)),
        "exists": mean(torch.cat(exists)),
        "own_kink": len(torch.cat(change)) / max(1, len(torch.cat(exists))),
        "c_change": median(torch.cat(change)),
        "c_slope": median(torch.cat(slope)),
        "zeroth": float(balance.zeroth[i]) / whole if whole else None,
        "remainder": float(balance.remainder[i]) / whole if whole else None,
    }


def ranks(passed: Passed, index: int, i: int) -> dict[str, float]:
    """Rank and effective rank (exponential of the singular values' entropy) of ``∂R/∂a`` at one value, for sample i."""
    layer = min(j for j, each in enumerate(passed.network.layers) if index in each.inputs)
    value = passed.values[layer][index][i : i + 1]
    if index < 0:
        return {"rank": None, "effective_rank": None, "active": None}
    above, rows = passed.above(index), torch.tensor([i])

    def relevance(a: Tensor) -> Tensor:
        return above({index: a.view_as(value)}, rows, 1).flatten()

    jacobian = torch.autograd.functional.jacobian(relevance, value.flatten())
    size = torch.linalg.svdvals(jacobian)
    share = size / size.sum() if size.sum() > 0 else size
    return {
        "rank": int((size > RANK * size.max()).sum()) if size.sum() > 0 else 0,
        "effective_rank": float(torch.special.entr(share).sum().exp()) if size.sum() > 0 else 0.0,
        "active": int((value != 0).sum()),
    }


def difference(true: Tensor, other: Tensor) -> float | None:
    """``Σ |R − R'| / Σ |R'|``; missing where nothing arrives."""
    whole = other.abs().sum()
    return float((true - other).abs().sum() / whole) if whole > 0 else None


def mean(values: Tensor) -> float | None:
    """The mean; missing where there is none."""
    return float(values.double().mean()) if len(values) else None


def median(values: Tensor) -> float | None:
    """The median; missing where there is none."""
    return float(values.median()) if len(values) else None
