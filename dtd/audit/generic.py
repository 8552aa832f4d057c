"""What an audit finds of the generic model's points."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from dtd.audit.findings import Findings, Look, findings
from dtd.audit.validity import Status, first_reason
from dtd.domain import Domain, hull
from dtd.relevance import Generic

NEGLIGIBLE = 1e-9  # of R̂ at a root that was bisected to 1e-12 of the way


@findings.register
def _(model: Generic, look: Look) -> Iterator[Findings]:
    model, layer = replace(model, memory=look.memory), look.layer
    path = model.path(layer, look.inputs)
    length, size = (norm(side) for side in (path.direction, path.start))
    domain = layer.domain if len(look.inputs) == 1 else hull(layer.domain)
    for found, part in model.expansions(layer, look.inputs, look.relevance, look.index):
        here = look.relevance.flatten(1)[:, part]
        first = torch.stack([handed.flatten(2).sum(-1) for handed in found.handed]).sum(0)
        distance = found.way * length[:, None]
        yield Findings(
            relevance=here,
            first=first,
            bias=torch.zeros_like(first),
            zeroth=found.zeroth,
            remainder=here - first - found.zeroth,
            exists=found.exists,
            status=point_status(found.exists, here, found.zeroth, inside(domain, path.at, found.way)),
            distance=distance,
            relative_distance=torch.where(distance == 0, 0.0, distance / size[:, None]),
        )


def norm(parts: tuple[Tensor, ...]) -> Tensor:
    """The Euclidean length over all inputs. # shape: (B,)"""
    return torch.stack([part.flatten(1).square().sum(1) for part in parts]).sum(0).sqrt()


def inside(domain: Domain, points, way: Tensor) -> Tensor:
    """Whether each unit's point lies in the layer's domain. # shape: way (B, k) -> (B, k)"""
    slack = 64 * torch.finfo(way.dtype).eps
    found = [
        torch.stack([domain.contains(p, slack * (1 + p.abs())).flatten(1).all(1) for p in points(t)]).all(0)
        for t in way.unbind(1)
    ]
    return torch.stack(found, 1) if found else torch.ones_like(way, dtype=torch.bool)


def point_status(exists: Tensor, relevance: Tensor, zeroth: Tensor, within: Tensor) -> Tensor:
    """The :class:`Status` of each unit's point; a generic layer has no linear region to leave. # shape: (B, k), int"""
    not_zero = zeroth.abs() > NEGLIGIBLE * relevance.abs()
    return first_reason({Status.DOMAIN: ~within, Status.NOT_ZERO: not_zero, Status.NO_ROOT: ~exists})
