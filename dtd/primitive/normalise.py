"""Normalisations: softmax, linearised at the data point, and layer norm with its scale held constant."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.algebra import divide
from dtd.domain import Box, Domain, NonNegative, Real
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample


@dataclass(frozen=True, eq=False)
class Softmax(Propagation):
    """``s = softmax(x)`` along one axis: ``R_j = x_j (R_j − s_j Σ_k R_k)``, the terms of the tangent at x from x to 0.

    Softmax is positive, so it has no root; what the tangents ``R_k s_k(·)/s_k(x)`` are worth at 0 stays in the zeroth
    term. Source: Achtibat 2024, on the softmax.
    """

    apart = True

    axis: int  # counted from the end
    shown: Tensor | None = None  # where a mask lets inputs through; the others are no inputs
    blank: bool = True  # a place that sees no input at all gets 0 everywhere; else the same everywhere, as masks of −1e38 do

    def accepts(self, layer):
        return layer.primitive is self

    def function(self, x: Tensor) -> Tensor:
        """``e^{x_k} / Σ_l e^{x_l}``."""
        if self.shown is None:
            return x.softmax(self.axis)
        s = x.masked_fill(~self.shown, torch.finfo(x.dtype).min).softmax(self.axis)
        return s * self.shown if self.blank else s

    def forward(self, layer: Layer, inputs):
        s = self.function(inputs[0])
        x = inputs[0] if self.shown is None else inputs[0] * self.shown
        return s, (x, s)

    def backward(self, layer: Layer, saved, relevance):
        x, s = saved
        lower = (x * (relevance - s * relevance.sum(self.axis, keepdim=True)),)
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - lower[0])))

    def image(self, domain: Domain) -> Domain:
        """Shares."""
        return Box(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class LayerNorm(Propagation):
    """``y = g ⊙ (x − μ) / σ + β`` over the last axes, with σ held constant: an affine layer under LRP-0, bias fixed.

    Scale and gain cancel: ``R_j = x_j (s_j − mean_k s_k)`` with ``s_k = R_k / (x_k − μ)``; where ``x_k = μ`` there is no
    root, and R_k stays in the zeroth term. Not ``centred`` (RMSNorm, μ = 0) each output has one input, and relevance passes.
    With σ moving along, the Taylor terms at x would sum to 0. Source: Ali 2022, on LayerNorm.
    """

    apart = True

    sizes: tuple[int, ...]  # of the last axes
    weight: Tensor | None
    bias: Tensor | None
    epsilon: float
    centred: bool = True

    @property
    def axes(self) -> tuple[int, ...]:
        """The normalised axes, counted from the end."""
        return tuple(range(-len(self.sizes), 0))

    def accepts(self, layer):
        return layer.primitive is self

    def function(self, x: Tensor) -> Tensor:
        """The normalised activations."""
        if self.centred:
            return F.layer_norm(x, self.sizes, self.weight, self.bias, self.epsilon)
        return F.rms_norm(x, self.sizes, self.weight, self.epsilon)

    def forward(self, layer: Layer, inputs):
        return self.function(*inputs), inputs[0]

    def backward(self, layer: Layer, saved, relevance):
        if not self.centred:
            return Propagated((relevance,), balance(relevance, (relevance,)))
        x = saved
        apart = x - x.mean(self.axes, keepdim=True)
        s = divide(relevance, apart)
        lower = (x * (s - s.mean(self.axes, keepdim=True)),)
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - s * apart)))

    def image(self, domain: Domain) -> Domain:
        """An RMSNorm with non-negative gains keeps non-negative inputs so."""
        kept = not self.centred and domain.nonnegative and (self.weight is None or bool((self.weight >= 0).all()))
        return NonNegative() if kept else Real()


@dataclass(frozen=True)
class Pass(Propagation):
    """``R_j = R_k`` for the input at the output's own place, everything else held constant: for layer norm, mean and scale.

    The mean-value form of a pointwise function, as a choice for a normalisation.
    """

    apart = True

    def accepts(self, layer):
        return isinstance(layer.primitive, LayerNorm)

    def forward(self, layer: Layer, inputs):
        return layer.primitive.function(*inputs), None

    def backward(self, layer: Layer, saved, relevance):
        return Propagated((relevance,), balance(relevance, (relevance,)))
