"""Functions of one activation: relevance passes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Domain, Real, entries, exact
from dtd.propagation import Layer, Propagated, Propagation, Step, balance


@dataclass(frozen=True, eq=False)
class Rectified(Step):
    """``y = max(a, 0)`` where coefficients arrive: ``c_a = 1[a > 0] c``."""

    takes_scaled = True
    hands_scaled = True
    fresh = True

    def up(self, checks, *inputs):
        y = inputs[0].relu()
        return y, y

    def down(self, saved, relevance):
        return (torch.ops.aten.threshold_backward(relevance, saved, 0),)


@dataclass(frozen=True, eq=False)
class Passed(Step):
    """``y = f(a)`` where relevance arrives: ``R_a = R_y``."""

    function: Callable[[Tensor], Tensor]

    def up(self, checks, *inputs):
        checks.append(inputs[0].sum().isfinite())
        return self.function(inputs[0]), None

    def down(self, saved, relevance):
        return (relevance,)


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

    def prepare(self, layer, setting):
        return Rectified() if layer.kind == "relu" and setting.scaled else Passed(self.function)

    def image(self, domain: Domain) -> Domain:
        """The smallest known domain that holds ``f(domain)``."""
        low, high = (exact(b) for b in domain.bounds())
        if bool((low < self.increasing_from).any()):
            return Real()
        return entries(*torch.broadcast_tensors(self.function(low), self.function(high)))
