"""Relevance of normalisations: softmax at the data point, layer norm with its scale held constant."""

from dataclasses import dataclass

from dtd.algebra import divide
from dtd.primitive import LayerNorm, Softmax
from dtd.propagation import Propagated, Propagation, balance, per_sample


@dataclass(frozen=True)
class SoftmaxTangent(Propagation):
    """``R_j = x_j (R_j − s_j Σ_k R_k)``: the first-order terms of softmax ``s`` at the data point, from x to 0.

    Softmax is positive, so it has no root; what the tangents ``R_k s_k(·)/s_k(x)`` are worth at 0 stays in the zeroth
    term. Inputs that a mask hides are no inputs. Source: Achtibat 2024, Prop. 3.1.
    """

    def accepts(self, layer):
        return isinstance(layer.op, Softmax)

    def forward(self, layer, inputs):
        (x,), s, shown = inputs, layer(*inputs), layer.op.shown
        return s, (x if shown is None else x * shown, s)

    def backward(self, layer, saved, relevance):
        x, s = saved
        lower = (x * (relevance - s * relevance.sum(layer.op.axis, keepdim=True)),)
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - lower[0])))


@dataclass(frozen=True)
class HeldScale(Propagation):
    """``y = g ⊙ (x − μ) / σ + β`` with σ held constant: an affine layer under LRP-0, bias fixed.

    Scale and gain cancel: ``R_j = x_j (s_j − mean_k s_k)`` with ``s_k = R_k / (x_k − μ)``; where ``x_k = μ`` there is no
    root, and R_k stays in the zeroth term. In an RMSNorm (μ = 0) each output has one input, and relevance passes.
    With σ moving along, the Taylor terms at x would sum to 0. Source: Ali 2022, on LayerNorm.
    """

    def accepts(self, layer):
        return isinstance(layer.op, LayerNorm)

    def forward(self, layer, inputs):
        return layer(*inputs), inputs[0]

    def backward(self, layer, saved, relevance):
        if not layer.op.centred:
            return Propagated((relevance,), balance(relevance, (relevance,)))
        x, axes = saved, layer.op.axes
        distance = x - x.mean(axes, keepdim=True)
        s = divide(relevance, distance)
        lower = (x * (s - s.mean(axes, keepdim=True)),)
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - s * distance)))
