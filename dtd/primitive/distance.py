"""Squared distances to centres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Domain, entries, exact
from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class SquaredDistance(Op):
    """``y_k = Σ_j (a_j − u_kj)²`` over the last axis. # shape: centres (K, J); (B, …, J) -> (B, …, K)

    A Mahalanobis distance is this behind the linear map ``L (a − u)`` with ``Lᵀ L`` the inverse covariance.
    """

    centres: Tensor

    def __call__(self, *inputs: Tensor) -> Tensor:
        (a,) = inputs
        return (a.unsqueeze(-2) - self.centres).square().sum(-1)

    def image(self, *domains: Domain) -> Domain:
        """From the nearest to the farthest corner of a box; the non-negative numbers for what is unbounded."""
        (domain,) = domains
        low, high = (b.unsqueeze(-2) if b.ndim else b for b in map(exact, domain.bounds()))
        below, above = low - self.centres, high - self.centres
        near = torch.maximum(below, -above).clamp(min=0).square().sum(-1)
        far = torch.maximum(below.square(), above.square()).sum(-1)
        return entries(*((near, far) if near.ndim > 1 else (near[None], far[None])))
