"""Relevance of soft maximum and minimum pooling."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.callers.printing import Printed
from dtd.primitive.pooling import LogSumExp
from dtd.propagation import Layer, Propagated, Propagation, balance


@dataclass(frozen=True)
class TakeMost(Printed, Propagation):
    """``R_k = softmax_k(a) R``: the first-order terms of ``y = log Σ_k e^{a_k}`` at its root ``ã = a − y·1``.

    Along ``1`` the soft maximum is affine, ``f(a − t·1) = f(a) − t``: the root is exact, the gradient there is the same
    softmax as at the data point, and nothing is left over. Behind and before a change of sign it is a soft minimum, whose
    smallest entries take most; with growing stiffness all goes to the winner, as in hard pooling.

    Source: Kauffmann 2020 and 2022 (min-take-most, max-take-most).

    >>> import dtd, torch
    >>> class SoftMinimum(torch.nn.Module):
    ...     def forward(self, x):
    ...         return -torch.logsumexp(-x, -1, keepdim=True)
    >>> x = torch.tensor([[2.0, 2.0]], dtype=torch.double)
    >>> out = dtd.explain(dtd.trace(SoftMinimum(), x), x, 0, dtd.Plan([]))
    >>> [round(value, 4) for value in out.relevance[0].tolist()]  # half of 2 - log 2 each
    [0.6534, 0.6534]
    """

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, LogSumExp)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), inputs[0].softmax(layer.op.axis)

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        lower = (saved * relevance,)
        return Propagated(lower, balance(relevance, lower))
