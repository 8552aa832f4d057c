"""How well two relevances of one layer agree."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

# The one table of tolerances: what derived and explicit relevance may differ by, relative to the layer's largest relevance
# of the sample, on top of the rounding bound of experiments.measures.rounding. In float32 there is nothing but that bound.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 0.0}
ROUNDOFF = {torch.float64: 2.0**-53, torch.float32: 2.0**-24}
TIED = {torch.float64: 1e-10, torch.float32: 1e-5}  # values closer than this share of the largest have the same rank


@dataclass(frozen=True)
class Agreement:
    """Derived against explicit relevance of one layer; the worst sample counts."""

    max_abs: float  # largest difference
    max_rel: float  # the same relative to the sample's largest explicit relevance
    allowed: float  # what a typical entry may differ by, relative alike (median over entries and samples)
    of_allowed: float  # largest difference as a share of what that entry may differ by
    cosine: float
    rank: float  # Spearman's rank correlation
    agree: bool  # of_allowed ≤ 1


def agreement(derived: Tensor, explicit: Tensor, rounding: Tensor) -> Agreement:
    """Compare entry by entry; ``rounding`` bounds the errors of either side, in units of u. # shape: (B, n) each"""
    dtype = explicit.dtype
    d, e = derived.double(), explicit.double()
    scale = e.abs().amax(1, keepdim=True)
    difference = (d - e).abs()
    allowed = TOLERANCE[dtype] * scale + 2 * ROUNDOFF[dtype] * rounding
    share = quotient(difference, allowed).max().item()
    return Agreement(
        max_abs=difference.max().item(),
        max_rel=quotient(difference, scale).max().item(),
        allowed=quotient(allowed, scale).median().item(),
        of_allowed=share,
        cosine=cosine(d, e),
        rank=rank_correlation(d, e, TIED[dtype]),
        agree=share <= 1,
    )


def quotient(x: Tensor, y: Tensor) -> Tensor:
    """``x / y``, and 0 where ``x = 0``."""
    return torch.where(x == 0, 0.0, x / y)


def cosine(d: Tensor, e: Tensor) -> float:
    """The smallest cosine of a sample; 1 where both vanish. # shape: (B, n) each"""
    lengths = d.norm(dim=1) * e.norm(dim=1)
    both_zero = (d == 0).all(1) & (e == 0).all(1)
    return torch.where(both_zero, 1.0, quotient((d * e).sum(1), lengths)).min().item()


def rank_correlation(d: Tensor, e: Tensor, tied: float) -> float:
    """The smallest Spearman correlation of a sample; values closer than ``tied`` times the largest share their rank.

    Without ties the order of equal entries would be that of their rounding errors. Constant relevance on both sides
    counts as 1, on one side as 0.
    """
    both = np.concatenate([d.numpy(), e.numpy()], axis=1)
    order = both.argsort(axis=1)
    ascending = np.nan_to_num(np.take_along_axis(both, order, axis=1))
    gap = tied * np.abs(e.numpy()).max(axis=1, keepdims=True)
    level = np.zeros_like(order)
    np.put_along_axis(level, order[:, 1:], (np.diff(ascending, axis=1) > gap).cumsum(axis=1), axis=1)
    n = d.shape[1]
    ranks = [torch.from_numpy(rankdata(part, axis=1)) for part in (level[:, :n], level[:, n:])]
    same = (ranks[0] == ranks[1]).all(1)
    x, y = (r - r.mean(1, keepdim=True) for r in ranks)
    return torch.where(same, 1.0, quotient((x * y).sum(1), x.norm(dim=1) * y.norm(dim=1))).min().item()
