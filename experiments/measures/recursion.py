"""What a pass with the exact model is made of: how constant ``c_k = R_k / z_k`` is, and the rank of the relevance."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dtd.explaining.observe import Observed
from dtd.relevance.exact.expansion import Expansion, differentiated

RANK = 1e-6  # singular values below this share of the largest are 0


@torch.no_grad()
def expansions(passed: Observed, position: int) -> Iterator[Expansion]:
    """The expansions of one layer at the data points."""
    model, layer = passed.models[position], passed.graph.layers[position]
    return model.expansions(layer, passed.context(position), passed.arrived[position])


@torch.no_grad()
def expanded(passed: Observed, position: int, parts: Sequence[Expansion], i: int) -> dict[str, float | None]:
    """How constant ``c_k`` is on sample i's ways to the roots of one layer, and what became of its relevance.

    ``c_change``: median of ``|c_k(ã)/c_k(a) − 1|`` over units with a root at their own kink. ``c_slope``: median of
    ``|∇c_k(a)·(a − ã) / c_k(a)|`` over units with a root.
    """
    layer = passed.graph.layers[position]
    change, slope, exists = [], [], []
    for part in parts:
        way, mine = part.ways, part.ways.samples == i
        found = part.exists & mine
        moved = (way.data - part.points).flatten(1)
        rows = layer.op.rows(way.units, layer.op.weight)
        z = layer.op.apply(way.data).flatten(1).gather(1, way.units[:, None])[:, 0]
        fields = layer.op.receptive_field(way.units)
        step = (rows * moved.gather(1, fields.clamp(min=0)) * (fields >= 0)).sum(1)  # z(a) − z(ã)
        own = found & ((z - step).abs() < 1e-9 * z.abs())
        _, gradient = differentiated(way, way.data, 1)
        relative = (gradient.flatten(1) * moved).sum(1) / part.relevance - step / z
        change.append((part.first.flatten(1).sum(1) / part.relevance - 1)[own].abs())
        slope.append(relative[found].abs())
        exists.append(found[mine])
    balance, whole = passed.balances[position], float(passed.arrived[position][i].abs().sum())
    return {
        "units": len(torch.cat(exists)),
        "exists": mean(torch.cat(exists)),
        "own_kink": len(torch.cat(change)) / max(1, len(torch.cat(exists))),
        "c_change": median(torch.cat(change)),
        "c_slope": median(torch.cat(slope)),
        "zeroth": float(balance.zeroth[i]) / whole if whole else None,
        "remainder": float(balance.remainder[i]) / whole if whole else None,
    }


def ranks(passed: Observed, index: int, i: int) -> dict[str, float]:
    """Rank and effective rank (exponential of the singular values' entropy) of ``∂R/∂a`` at one value, for sample i."""
    layer = min(j for j, each in enumerate(passed.graph.layers) if index in each.inputs)
    value = passed.swept.saved[layer][index][i : i + 1]
    if index < 0:
        return {"rank": None, "effective_rank": None, "active": None}
    above, rows = passed.context(index).above, torch.tensor([i])

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
