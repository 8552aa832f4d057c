"""Functions of one activation: relevance passes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Domain, Real, entries, exact
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
        low, high = (exact(b) for b in domain.bounds())
        if bool((low < self.increasing_from).any()):
            return Real()
        return entries(*torch.broadcast_tensors(self.function(low), self.function(high)))
