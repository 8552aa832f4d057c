"""Functions of one activation: relevance passes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Box, Domain, Real, interval
from dtd.propagation import Layer, Propagated, Propagation, balance


@dataclass(frozen=True, eq=False)
class Pointwise(Propagation):
    """``y = f(a)`` entry by entry: ``R_a = R_y``.

    The mean-value form ``f(a) = f(ã) + f'(ξ)(a − ã)`` has one input, which therefore receives all of it; no
    derivative is taken. ``increasing_from`` is where ``f`` starts to be increasing, for the inference of domains.
    """

    function: Callable[[Tensor], Tensor]
    increasing_from: float = -torch.inf

    def accepts(self, layer):
        return layer.primitive is self

    def forward(self, layer: Layer, inputs):
        return self.function(inputs[0]), None

    def backward(self, layer: Layer, saved, relevance):
        return Propagated((relevance,), balance(relevance, (relevance,)))

    def image(self, domain: Domain) -> Domain:
        """The smallest known domain that holds ``f(domain)``."""
        low, high = (b if isinstance(b, Tensor) else torch.tensor(b, dtype=torch.float64) for b in domain.bounds())
        if bool(low.min() < self.increasing_from):
            return Real()
        low, high = self.function(low), self.function(high)
        if low.numel() == 1 and high.numel() == 1:
            return interval(low.item(), high.item())
        return Box(low, high)
