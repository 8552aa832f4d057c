"""What an audit sees of layers that are not affine: the points of a generic model, or a primitive's balance alone."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from dtd.audit.validity import Status
from dtd.domain import Domain, hull
from dtd.propagation import Layer
from dtd.relevance import Generic
from dtd.taylor import Balance

NEGLIGIBLE = 1e-9  # of R̂ at a root that was bisected to 1e-12 of the way


def look_at_points(
    layer: Layer, model: Generic, inputs: tuple[Tensor, ...], relevance: Tensor, index: Tensor, memory: int
) -> Iterator[dict[str, Tensor]]:
    """Status, distances and balance of the units, one chunk after another. # shape: (B, k) each"""
    model = replace(model, memory=memory)
    path = model.path(layer, inputs)
    length, size = (norm(side) for side in (path.direction, path.start))
    domain = layer.domain if len(inputs) == 1 else hull(layer.domain)
    for found, part in model.expansions(layer, inputs, relevance, index):
        here = relevance.flatten(1)[:, part]
        first = sum(handed.flatten(2).sum(-1) for handed in found.handed)
        distance = found.way * length[:, None]
        yield {
            "relevance": here,
            "first": first,
            "bias": torch.zeros_like(first),
            "zeroth": found.zeroth,
            "remainder": here - first - found.zeroth,
            "exists": found.exists,
            "status": status(found.exists, here, found.zeroth, inside(domain, path.at, found.way)),
            "distance": distance,
            "relative_distance": torch.where(distance == 0, 0.0, distance / size[:, None]),
        }


def norm(parts: tuple[Tensor, ...]) -> Tensor:
    """The Euclidean length over all inputs. # shape: (B,)"""
    return sum(part.flatten(1).square().sum(1) for part in parts).sqrt()


def inside(domain: Domain, points, way: Tensor) -> Tensor:
    """Whether each unit's point lies in the layer's domain. # shape: way (B, k) -> (B, k)"""
    slack = 64 * torch.finfo(way.dtype).eps
    found = [
        torch.stack([domain.contains(p, slack * (1 + p.abs())).flatten(1).all(1) for p in points(t)]).all(0)
        for t in way.unbind(1)
    ]
    return torch.stack(found, 1) if found else torch.ones_like(way, dtype=torch.bool)


def status(exists: Tensor, relevance: Tensor, zeroth: Tensor, within: Tensor) -> Tensor:
    """The :class:`Status` of each unit's point; a generic layer has no linear region to leave. # shape: (B, k), int"""
    result = torch.where(within, int(Status.VALID), int(Status.DOMAIN))
    result = result.masked_fill(zeroth.abs() > NEGLIGIBLE * relevance.abs(), int(Status.NOT_ZERO))
    return result.masked_fill(~exists, int(Status.NO_ROOT))


def balance_alone(balance: Balance) -> dict[str, float]:
    """The columns of a primitive whose roots are known in closed form, or which has none. # shape: sums over the batch"""
    row = {name: float(getattr(balance, name).sum()) for name in ("relevance", "first", "bias", "zeroth", "remainder")}
    largest = float(balance.relevance.abs().max()) if len(balance.relevance) else 0.0
    return {**row, "gap": float(balance.gap.abs().max()) / largest if largest else 0.0}
