"""Squared distances to centres, Euclidean ones and those of Mahalanobis."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Bound, Domain, entries, exact
from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class SquaredDistance(Op):
    """``y_k = Σ_j (a_j − u_kj)²`` over the last axis. # shape: centres (K, J); (B, …, J) -> (B, …, K)"""

    centres: Tensor

    def __call__(self, *inputs: Tensor) -> Tensor:
        (a,) = inputs
        return (a.unsqueeze(-2) - self.centres).square().sum(-1)

    def parts(self, a: Tensor) -> Tensor:
        """What each input adds to each distance, ``(a_j − u_kj)²``. # shape: (B, …, J) -> (B, …, K, J)"""
        apart = a[..., None, :] - self.centres
        return apart * apart

    def image(self, *domains: Domain) -> Domain:
        """From the nearest to the farthest corner of a box; the non-negative numbers for what is unbounded."""
        return squared(*self.box(*domains))

    def box(self, domain: Domain) -> tuple[Tensor, Tensor]:
        """The bounds of what is squared. # shape: (…, K, J) each"""
        low, high = map(opened, domain.bounds())
        return low - self.centres, high - self.centres


@dataclass(frozen=True, eq=False)
class MahalanobisDistance(SquaredDistance):
    """``y_k = ‖(a − u_k) L_k‖²``: a squared distance in which directions have weights, ``M_k = L_k L_kᵀ``.

    # shape: centres (K, J), factors (K, J, J'), or the diagonals of such (K, J); (B, …, J) -> (B, …, K)

    For the logarithm of a normal density, ``L_k`` is a factor of the inverse covariance.
    """

    factors: Tensor

    def __call__(self, *inputs: Tensor) -> Tensor:
        (a,) = inputs
        return self.white(a.unsqueeze(-2) - self.centres).square().sum(-1)

    def white(self, apart: Tensor) -> Tensor:
        """``(a − u_k) L_k``. # shape: (…, K, J) -> (…, K, J')"""
        return apart * self.factors if self.factors.ndim == 2 else (apart[..., None, :] @ self.factors)[..., 0, :]

    def parts(self, a: Tensor) -> Tensor:
        """``(a − u_k)_j [M_k (a − u_k)]_j``, of either sign where columns are correlated."""
        apart = a[..., None, :] - self.centres
        white = self.white(apart)
        if self.factors.ndim == 2:
            return white * white
        return apart * (white[..., None, :] @ self.factors.mT)[..., 0, :]

    def box(self, domain: Domain) -> tuple[Tensor, Tensor]:
        """Bounds of the whitened differences, each for itself: the distances of a box lie within what they give."""
        low, high = super().box(domain)
        if not bool((low.isfinite() & high.isfinite()).all()):
            return torch.full_like(low, -torch.inf), torch.full_like(high, torch.inf)
        middle, half = (low + high) / 2, (high - low) / 2
        reach = half * self.factors.abs() if self.factors.ndim == 2 else (half[..., None, :] @ self.factors.abs())[..., 0, :]
        return self.white(middle) - reach, self.white(middle) + reach


def opened(bound: Bound) -> Tensor:
    """A bound with an axis for the centres."""
    made = exact(bound)
    return made.unsqueeze(-2) if made.ndim else made


def squared(low: Tensor, high: Tensor) -> Domain:
    """The domain of ``Σ_j z_j²`` for ``low ≤ z ≤ high``. # shape: (…, K, J) each"""
    near = torch.maximum(low, -high).clamp(min=0).square().sum(-1)
    far = torch.maximum(low.square(), high.square()).sum(-1)
    return entries(*((near, far) if near.ndim > 1 else (near[None], far[None])))
