"""Taylor steps along a segment: how relevance is handed down between a point and the data."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Path(NamedTuple):
    """The points ``a − t v`` of each sample. # shape: (n, *in) for each input"""

    start: tuple[Tensor, ...]
    direction: tuple[Tensor, ...]

    def at(self, t: Tensor) -> tuple[Tensor, ...]:
        """The points at ``t``. # shape: t (n,)"""
        return tuple(a - along(t, a) * v for a, v in zip(self.start, self.direction, strict=True))

    def take(self, rows: Tensor) -> "Path":
        """The paths of some samples."""
        return Path(*(tuple(x[rows] for x in side) for side in self))

    def repeated(self, k: int) -> "Path":
        """Each sample ``k`` times in a row."""
        return Path(*(tuple(x.repeat_interleave(k, 0) for x in side) for side in self))


def along(t: Tensor, a: Tensor) -> Tensor:
    """One number for each sample, to multiply its entries."""
    return t.view(-1, *[1] * (a.ndim - 1))


def walk(f: Callable[..., Tensor], path: Path, way: Tensor, c: Tensor, steps: int, order: int) -> tuple[Tensor, ...]:
    """``Σ_i [∇(c·f)(p_i)]_j δ_j`` (+ ½ δ_j [∇²(c·f)(p_i) δ]_j) over equal steps from ``t = way`` to the data at ``t = 0``.

    # shape: way (n,), c (n, *out) -> (n, *in) for each input
    """
    delta = tuple(along(way, v) * v / steps for v in path.direction)
    total = tuple(map(torch.zeros_like, path.start))

    def gradient(*points: Tensor) -> tuple[Tensor, ...]:
        return torch.func.vjp(f, *points)[1](c)

    for i in range(steps):
        points = path.at(way * (1 - i / steps))
        if order == 1:
            slope = gradient(*points)
        else:  # the Hessian is symmetric, its own adjoint
            slope, adjoint, *_ = torch.func.vjp(gradient, *points)
            slope = tuple(g + h / 2 for g, h in zip(slope, adjoint(delta), strict=True))
        total = tuple(sum_ + g * d for sum_, g, d in zip(total, slope, delta, strict=True))
    return total
