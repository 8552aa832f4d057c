"""Curved layers at the data point, and layers that are held constant."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.algebra import divide
from dtd.callers.printing import Printed
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample


@dataclass(frozen=True)
class Tangent(Printed, Propagation):
    """``R_j = Σ_k a_j ∂f_k/∂a_j R_k / f_k(a)``: the tangent of ``R̂_k = R_k f_k(·)/f_k(a)`` at a, from a to 0.

    Gradient × input of one layer, for any differentiable one. A curved layer need not have a root; what its tangents are
    worth at 0 stays in the zeroth term, ``R_k − Σ_j R_j←k``, and so does the relevance of an output that is 0. For softmax
    this is Achtibat 2024, Prop. 3.1; for a layer norm without bias, whose scale then moves along, the terms sum to 0 but for
    its small number (ε/σ² of R).

    tanh at 1: ``a f'(a)``, here 1 − tanh² 1 = 0.4200.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Tanh(), torch.ones(1, 1))
    >>> plan = dtd.Plan([(dtd.where.kind("tanh"), dtd.Tangent())])
    >>> dtd.explain(net, torch.ones(1, 1), 0, plan).relevance
    tensor([[0.4200]])
    """

    def accepts(self, layer: Layer) -> bool:
        return True

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), inputs

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        asked = torch.is_grad_enabled()  # for relevance that is a part of a computation itself
        with torch.enable_grad():
            y, adjoint, *_ = torch.func.vjp(layer, *saved)
        slopes = adjoint(divide(relevance, y if asked else y.detach()))
        lower = tuple(a * (slope if asked else slope.detach()) for a, slope in zip(saved, slopes, strict=True))
        kept = balance(relevance, lower)
        return Propagated(lower, balance(relevance, lower, zeroth=kept.gap))


@dataclass(frozen=True)
class Constant(Printed, Propagation):
    """``y`` is held constant: a constant is no input, so all relevance stays, as the share of a bias.

    For softmax it lets attention weights be given (CP-LRP: Ali 2022); what arrives there is then 0 where the values of
    the attention take all.

    A softmax held constant keeps its relevance, here ½, as a bias share.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Softmax(1), torch.zeros(1, 2))
    >>> plan = dtd.Plan([(dtd.where.kind("softmax"), dtd.Constant())])
    >>> out = dtd.explain(net, torch.zeros(1, 2), 0, plan)
    >>> out.relevance, out.layers["softmax"].balance.bias
    (tensor([[0., 0.]]), tensor([0.5000]))
    """

    def accepts(self, layer: Layer) -> bool:
        return True

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer(*inputs), inputs

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        lower = tuple(map(torch.zeros_like, saved))
        return Propagated(lower, balance(relevance, lower, bias=per_sample(relevance)))
