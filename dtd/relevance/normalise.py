"""Relevance of normalisations: softmax at the data point, norms with their scale held constant."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.algebra import divide, sign
from dtd.callers.printing import Printed
from dtd.errors import check_nonnegative, check_parameter
from dtd.primitive import LayerNorm, Softmax
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample
from dtd.root import Bias, check_bias


@dataclass(frozen=True)
class SoftmaxTangent(Printed, Propagation):
    """``R_j = x_j (R_j − s_j Σ_k R_k)``: the first-order terms of softmax ``s`` at the data point, from x to 0.

    Softmax is positive, so it has no root; what the tangents ``R_k s_k(·)/s_k(x)`` are worth at 0 stays in the zeroth
    term. Inputs that a mask hides are no inputs. Source: Achtibat 2024, Prop. 3.1.

    At x = (ln 3, 0) softmax is (¾, ¼); what is explained, ¾, hands ln 3 (¾ − ¾ · ¾) = 0.1875 ln 3 to the first
    input.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Softmax(1), torch.zeros(1, 2))
    >>> plan = dtd.Plan([(dtd.where.kind("softmax"), dtd.SoftmaxTangent())])
    >>> dtd.explain(net, torch.tensor([[3.0, 1.0]]).log(), 0, plan).relevance / torch.tensor(3.0).log()
    tensor([[0.1875, -0.0000]])
    """

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, Softmax)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        (x,), s, shown = inputs, layer(*inputs), layer.op.shown
        return s, (x if shown is None else x.masked_fill(~shown, 0), s)

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        x, s = saved
        lower = (x * (relevance - s * relevance.sum(layer.op.axis, keepdim=True)),)
        return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - lower[0])))


@dataclass(frozen=True)
class HeldScale(Printed, Propagation):
    """``y = g ⊙ (x − μ) / σ + β`` with σ held constant: an affine layer, whose root is that of LRP-0.

    ``bias="fixed"``: β stays in the relevance model. Scale and gain cancel,

        R_j = x_j (s_j − mean_k s_k),    s_k = R_k / (x_k − μ),

    and where ``x_k = μ`` there is no root: R_k stays in the zeroth term. ``bias="neuron"``: β moves along as an input and
    takes its share ``β_k R_k / y_k``, as LXT's efficient patches compute it,

        R_j = x_j (s_j − mean_k s_k),    s_k = g_k R_k / (σ y_k),

    ``"distribute"`` hands that share evenly to the normalised inputs. ``damping`` ε (with a moving bias) stops early,
    ``s_k = g_k R_k / (σ (y_k + ε sign y_k))``, and leaves what it absorbs in the zeroth term. Norms without mean and β
    (RMSNorm) have one input for each output, and relevance passes. With σ moving along, the Taylor terms at x would sum to
    0 (:class:`Tangent`). Source: Ali 2022, on LayerNorm, where the bias takes a share: ``"neuron"``, as in the presets for
    transformers. The default is ``"fixed"``, which conserves.

    Raises :class:`InputError` for an unknown bias mode or a negative damping.

    At x = (3, 1) mean and scale are 2 and 1, and y = (1, −1): y₁ = (½ 3 − ½ 1)/1 hands 1.5 and −0.5 down.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.LayerNorm(2, eps=0.0), torch.tensor([[3.0, 1.0]]))
    >>> plan = dtd.Plan([(dtd.where.kind("layer_norm"), dtd.HeldScale())])
    >>> dtd.explain(net, torch.tensor([[3.0, 1.0]]), 0, plan).relevance
    tensor([[ 1.5000, -0.5000]])
    """

    bias: Bias = "fixed"
    damping: float = 0.0

    def __post_init__(self):
        check_bias(self.bias)
        check_nonnegative("damping", self.damping)
        check_parameter(not (self.damping and self.bias == "fixed"), "damping", "0 with a fixed bias", self.damping)

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, LayerNorm)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        y = layer(*inputs)
        return y, (inputs[0], None if self.bias == "fixed" else y)

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        x, y = saved
        if not layer.op.centred and layer.op.bias is None and not self.damping:
            return Propagated((relevance,), balance(relevance, (relevance,)))
        if y is None:
            distance = x - self._mean(layer, x)
            s = divide(relevance, distance)
            lower = (x * (s - self._mean(layer, s)),)
            return Propagated(lower, balance(relevance, lower, zeroth=per_sample(relevance - s * distance)))
        c = divide(relevance, y + self.damping * sign(y) if self.damping else y)
        s = layer.op.gain(x) * c
        lower, share = x * (s - self._mean(layer, s)), c * (0 if layer.op.bias is None else layer.op.bias)
        if self.bias == "distribute":
            lower, share = lower + share.mean(layer.op.axes, keepdim=True), 0 * share
        zeroth = per_sample(relevance - c * y)
        return Propagated((lower,), balance(relevance, (lower,), bias=per_sample(share), zeroth=zeroth))

    def _mean(self, layer, values: Tensor) -> Tensor | float:
        return values.mean(layer.op.axes, keepdim=True) if layer.op.centred else 0.0
