"""Functions of one activation."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Domain, Real, entries, exact
from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class Pointwise(Op):
    """``y = f(a)`` entry by entry.

    ``increasing_from`` is where ``f`` starts to be increasing, for the inference of domains. ``kinks`` are the places where
    a piecewise linear ``f`` bends, None where ``f`` is not piecewise linear. A function that ``rectifies`` is 0 for
    ``a ≤ 0`` and equals ``a`` from there to its next kink.
    """

    function: Callable[[Tensor], Tensor]
    increasing_from: float = -torch.inf
    kinks: tuple[float, ...] | None = None
    rectifies: bool = False

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)

    @property
    def is_relu(self) -> bool:
        """Whether ``f(a) = max(a, 0)``."""
        return self.rectifies and self.kinks == (0.0,)

    def image(self, *domains: Domain) -> Domain:
        """The smallest known domain that holds ``f(domain)``."""
        (domain,) = domains
        low, high = (exact(b) for b in domain.bounds())
        if bool((low < self.increasing_from).any()):
            return Real()
        return entries(*torch.broadcast_tensors(self.function(low), self.function(high)))
