"""Relevance that passes unchanged."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.callers.printing import Printed
from dtd.primitive import LayerNorm, Pointwise
from dtd.propagation import Layer, Propagated, Propagation, balance


@dataclass(frozen=True)
class Identity(Printed, Propagation):
    """``R_j = R_k`` for the input at the output's own place, everything else held constant (the identity rule).

    For a pointwise function it is the mean-value form ``f(a) = f(ã) + f'(ξ)(a − ã)``: there is one input, which therefore
    receives all relevance, and no derivative is taken. For a layer norm, mean and scale are held constant (Achtibat 2024,
    Prop. 3.4).

    tanh at 1 hands down all of its 0.7616.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Tanh(), torch.ones(1, 1))
    >>> plan = dtd.Plan([(dtd.where.kind("tanh"), dtd.Identity())])
    >>> dtd.explain(net, torch.ones(1, 1), 0, plan).relevance
    tensor([[0.7616]])
    """

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, (Pointwise, LayerNorm))

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), None

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        return Propagated((relevance,), balance(relevance, (relevance,)))
