"""Roots of scalar functions on rays, many at once: bracketing, then bisection."""

from collections.abc import Callable

import torch
from torch import Tensor

Scalar = Callable[[Tensor, Tensor], Tensor]  # (rows (m,), t (m,)) -> value of each of these rows' functions at t (m,)
HALVINGS = 64  # at most; a root within 2^-64 of a step of the grid of the data point is not told from it


def delta(dtype: torch.dtype) -> float:
    """Half the relative width to which a root is bracketed: 2.3e-13 in float64."""
    return 1024 * torch.finfo(dtype).eps


def first_root(function: Scalar, start: Tensor, grid: Tensor, precision: float | None = None) -> tuple[Tensor, Tensor]:
    """For each row the end of the first stretch from ``t = 0`` on which the function keeps the sign it has there.

    The grid is walked until the function has lost its sign (reached 0 counts), then the bracket is halved until it is
    narrower than ``precision`` times ``t``, by default 4.5e-13 (float64; 2048 ε in general). Two sign changes between
    neighbours of the grid go unseen.

    Args:
        function: evaluated row by row.
        start: values at ``t = 0``, none of them 0. # shape: (P,)
        grid: increasing positive ``t``. # shape: (P, G)

    Returns:
        The last point before the root, where the function still has its sign, and whether there is a root on the grid
        (the point is the last of the grid where there is none). # shape: (P,), (P,)
    """
    low, high = torch.zeros_like(start), torch.full_like(start, torch.inf)
    open_ = torch.arange(len(start), device=start.device)
    for t in grid.unbind(1):
        if not len(open_):
            break
        kept = same_sign(function(open_, t[open_]), start[open_])
        low[open_[kept]] = t[open_[kept]]
        high[open_[~kept]] = t[open_[~kept]]
        open_ = open_[kept]
    exists = high.isfinite()
    tolerance = 2 * delta(start.dtype) * (1 + 1e-3) if precision is None else precision
    for _ in range(HALVINGS):
        wide = (exists & (high - low > tolerance * high)).nonzero().flatten()
        if not len(wide):
            break
        middle = (low[wide] + high[wide]) / 2
        kept = same_sign(function(wide, middle), start[wide])
        low[wide[kept]] = middle[kept]
        high[wide[~kept]] = middle[~kept]
    return low, exists


def same_sign(values: Tensor, start: Tensor) -> Tensor:
    """Whether values have the sign of ``start``; 0 has not."""
    return values * start.sign() > 0


def last_inside(inside: Callable[[Tensor, Tensor], Tensor], end: Tensor) -> Tensor:
    """For each row the largest ``t ≤ end`` inside a convex set that holds ``t = 0``, by bisection. # shape: (P,)"""
    low, high = torch.zeros_like(end), end.clone()
    every = torch.arange(len(end), device=end.device)
    reached = inside(every, end)
    low[reached] = end[reached]
    for _ in range(HALVINGS):
        wide = (high - low > 2 * delta(end.dtype) * high).nonzero().flatten()
        if not len(wide):
            break
        middle = (low[wide] + high[wide]) / 2
        kept = inside(wide, middle)
        low[wide[kept]] = middle[kept]
        high[wide[~kept]] = middle[~kept]
    return low
