"""What an audit says of the exact model's roots."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dtd.audit.validity import Status
from dtd.numeric import delta
from dtd.propagation import Context, Layer
from dtd.relevance.exact import Exact, Expansion


def look(model: Exact, layer: Layer, context: Context, relevance: Tensor) -> Iterator[dict[str, Tensor]]:
    """Status, distance and terms of every unit that receives relevance, one chunk after another. # shape: (P,) each"""
    for part in model.expansions(layer, context, relevance):
        first = part.first.flatten(1).sum(1)
        length = (part.ways.data - part.points).flatten(1).norm(dim=1)
        yield {
            "relevance": part.relevance,
            "first": first,
            "bias": torch.zeros_like(first),
            "zeroth": part.zeroth,
            "remainder": part.relevance - part.zeroth - first,
            "exists": part.exists,
            "status": status(part, layer),
            "distance": length,
            "relative_distance": torch.where(length == 0, 0.0, length / part.ways.data.flatten(1).norm(dim=1)),
        }


def status(part: Expansion, layer: Layer) -> Tensor:
    """The :class:`Status` of each root; the linear region is that of the whole network above. # shape: (P,), int8"""
    slack = 4 * delta(part.points.dtype)
    bounds = layer.domain.map(lambda bound: torch.broadcast_to(bound, context_shape(part, bound))[part.ways.samples])
    inside = bounds.contains(part.points, slack * part.ways.data.abs()) | (part.ways.way == 0)
    fails = {
        Status.REGION: ~part.ways.same_region(part.points),
        Status.DOMAIN: ~inside.flatten(1).all(1),
        Status.NOT_ZERO: part.zeroth.abs() > 1e3 * slack * part.relevance.abs(),
        Status.NO_ROOT: ~part.exists,
    }
    result = torch.zeros_like(part.ways.samples, dtype=torch.int8)
    for reason, failed in fails.items():
        result = result.masked_fill(failed, int(reason))
    return result


def context_shape(part: Expansion, bound: Tensor) -> tuple[int, ...]:
    """A bound's shape with the batch axis of the explanation."""
    a = next(iter(part.ways.context.values.values()))
    return (len(a), *bound.shape[1:])
