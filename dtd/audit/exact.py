"""What an audit finds of the exact model's roots; the linear region is that of the whole network above."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dtd.audit.findings import Findings, Look, findings
from dtd.audit.validity import Status, first_reason
from dtd.propagation import Layer
from dtd.relevance.exact import Exact, Expansion
from dtd.relevance.numeric import delta


@findings.register
def _(model: Exact, look: Look) -> Iterator[Findings]:
    for part in model.expansions(look.layer, look.context, only(look.index, look.relevance)):
        first = part.first.flatten(1).sum(1)
        length = (part.ways.data - part.points).flatten(1).norm(dim=1)
        yield Findings(
            relevance=part.relevance,
            first=first,
            bias=torch.zeros_like(first),
            zeroth=part.zeroth,
            remainder=part.relevance - part.zeroth - first,
            exists=part.exists,
            status=exact_status(part, look.layer),
            distance=length,
            relative_distance=torch.where(length == 0, 0.0, length / part.ways.data.flatten(1).norm(dim=1)),
        )


def only(index: Tensor, relevance: Tensor) -> Tensor:
    """The relevance of some units, and 0 for the others. # shape: (k,), (B, *out) -> (B, *out)"""
    kept = torch.zeros_like(relevance.flatten(1))
    kept[:, index] = relevance.flatten(1)[:, index]
    return kept.view_as(relevance)


def exact_status(part: Expansion, layer: Layer) -> Tensor:
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
    return first_reason(fails)


def context_shape(part: Expansion, bound: Tensor) -> tuple[int, ...]:
    """A bound's shape with the batch axis of the explanation."""
    a = next(iter(part.ways.context.values.values()))
    return (len(a), *bound.shape[1:])
