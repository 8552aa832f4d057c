"""Products of two activations: gates, and the mixing of values by attention."""

import torch
from torch import Tensor

from dtd.domain import Bound, Domain, NonNegative, Real, entries, exact
from dtd.propagation import Op


class Product(Op):
    """``y = a b`` entry by entry. # shape: (B, *shape) twice -> (B, *shape)"""

    def __call__(self, *inputs: Tensor) -> Tensor:
        a, b = inputs
        return a * b

    def image(self, *domains: Domain) -> Domain:
        """The products of two intervals."""
        a, b = domains
        corners = [times(x, y) for x in a.bounds() for y in b.bounds()]
        low, high = torch.stack(torch.broadcast_tensors(*corners)).aminmax(dim=0)
        return entries(low, high)


class MatMul(Op):
    """``y_ip = Σ_m a_im b_mp``. # shape: a (B, …, n, m), b (B, …, m, p) -> (B, …, n, p)"""

    def __call__(self, *inputs: Tensor) -> Tensor:
        a, b = inputs
        return a @ b

    def image(self, *domains: Domain) -> Domain:
        """NonNegative for two non-negative factors."""
        return NonNegative() if all(domain.nonnegative for domain in domains) else Real()


def times(x: Bound, y: Bound) -> Tensor:
    """The product of two bounds, with ``0 · ∞ = 0``."""
    a, b = torch.broadcast_tensors(exact(x), exact(y))
    return torch.where((a == 0) | (b == 0), 0.0, a * b)
