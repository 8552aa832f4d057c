"""The first-order expansion of true relevance at its root, for one chunk of units."""

from dataclasses import dataclass
from math import ceil, log2

import torch
from torch import Tensor

from dtd.algebra import divide
from dtd.relevance.exact.rays import Rays
from dtd.relevance.numeric import delta, first_root, last_inside

BEYOND = (1.25, 1.5, 2.0, 3.0, 4.0)  # where a root is still looked for, behind the affine unit's own
JUMP = 1e-6  # of R_k(a): at least what may be left at the end of a bracket around a zero; more is left at a jump or a pole
NOTHING = 1e-9  # of the relevance that is explained: at least what rounding may leave there


@dataclass(frozen=True, eq=False)
class Expansion:
    """First-order expansions of some pairs of a sample and an upper unit.

    # shape: points, first (P, *in), others (P,)
    """

    ways: Rays
    points: Tensor  # ã
    exists: Tensor  # whether R_k vanishes there
    relevance: Tensor  # R_k(a)
    first: Tensor  # ∇R_k(ã) ⊙ (a − ã)
    zeroth: Tensor  # R_k(ã)


@torch.no_grad()
def search(ways: Rays, grid: int, region: bool) -> tuple[Tensor, Tensor]:
    """Where the first zero of each relevance is, ``t``, and whether there is one; ``t = 0`` where there is none.

    With ``region`` the way ends with the linear region, at a point that need not be a root. # shape: (P,), (P,)
    """

    def relevance(rows: Tensor, t: Tensor) -> Tensor:
        some = ways.take(rows)
        return some.relevance(some.points(t), 0)

    def inside(rows: Tensor, t: Tensor) -> Tensor:
        some = ways.take(rows)
        return some.same_region(some.points(t), closed=False)

    start = ways.relevance(ways.data, 0)
    beside = delta(start.dtype)
    places = [(i + 1) / grid for i in range(grid - 1)] + [1 - beside, 1 + beside, *BEYOND]
    t, exists = first_root(relevance, start, ways.end[:, None] * start.new_tensor(places))
    left = ways.relevance(ways.points(t), 0).abs()
    jump, nothing = max(JUMP, 8 * beside), max(NOTHING, beside / 8)
    exists &= (left <= jump * start.abs()) | (left <= nothing * ways.context.above.scale[ways.samples])
    if not region:
        return torch.where(exists, t, 0), exists
    within = last_inside(inside, t)
    return within, exists & (within == t)


def attached(ways: Rays, t: Tensor, depth: int) -> Tensor:
    """The root as a differentiable function of the activations: the value of ``t``, with ``depth`` derivatives.

    Each Newton step on ``R_k(a − t v) = constant`` doubles the order to which its result agrees with the implicit function,
    and leaves its value alone.
    """
    for _ in range(ceil(log2(depth + 1))):
        points = ways.points(t)
        relevance, gradient = differentiated(ways, points, depth + 1)
        slope = (gradient * ways.way).flatten(1).sum(1)
        t = t + divide(relevance - relevance.detach(), slope)
    return t


def expand_pairs(ways: Rays, t: Tensor, exists: Tensor, held: bool, depth: int) -> Expansion:
    """The terms at the root; ``held`` roots are constants to every derivative."""
    points = ways.points(t)
    points = points.detach() if held or not depth else points
    zeroth, gradient = differentiated(ways, points, depth + 1)
    if not depth:
        zeroth, gradient = zeroth.detach(), gradient.detach()
    data = ways.data
    relevance = ways.relevance(data, depth)
    return Expansion(ways, points, exists, relevance, gradient * (data - points), zeroth)


@torch.enable_grad()
def differentiated(ways: Rays, points: Tensor, depth: int) -> tuple[Tensor, Tensor]:
    """``R_k`` and its gradient at one point for each pair, ``depth − 1`` times differentiable. # shape: (P,), (P, *in)"""
    points = points if points.requires_grad else points.detach().requires_grad_()
    relevance = ways.relevance(points, depth)
    if not relevance.requires_grad:  # constant
        return relevance, torch.zeros_like(points)
    (gradient,) = torch.autograd.grad(
        relevance.sum(), points, create_graph=depth > 1, allow_unused=True, materialize_grads=True
    )
    return relevance, gradient
