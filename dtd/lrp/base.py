"""What every explicit LRP rule has in common: the four steps, and what the bias convention means.

Each rule is the four-step procedure of the LRP overview (Montavon 2019, Sec. 10.2.2) with its own modified inputs and
weights: forward ``z_k = Σ_j x_j W_jk``, divide ``s_k = R_k / z_k``, backward ``c_j = Σ_k W_jk s_k``, multiply
``R_j = x_j c_j``. A unit whose denominator is 0 redistributes nothing (0/0 := 0).

``bias`` says what the formulas' sum ``Σ_{0,j}`` means: ``"neuron"`` includes the bias as an input ``a_0 = 1`` with
weight ``b``; ``"fixed"`` sums over the inputs only (elsewhere: zero-bias form); ``"distribute"`` includes it and hands
its share evenly to the inputs.

A rule raises :class:`InputError` when it is made with a parameter that its family does not have.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import divide, negative, nonzero, positive, sign
from dtd.callers.printing import Printed
from dtd.domain import Domain, Real
from dtd.errors import check_parameter
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample

Pairs = list[tuple[Any, Any]]
BIASES = ("fixed", "neuron", "distribute")


def four_steps(affine: AffineMap, pairs: Pairs, bias: Any, relevance: Any, epsilon: Any = 0) -> tuple[Any, Any]:
    """Forward, divide, backward, multiply: relevance of the inputs and of the bias. # shape: (B, *in), (B, *out)

    ``pairs`` are (modified inputs, modified weights) whose contributions add up; ``bias`` the bias term of ``Σ_{0,j}``.

    A unit with weights (3, −1) and bias 2 at a = (1, 1), and what its relevance 4 becomes.

    >>> import dtd, torch
    >>> layer = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2)).layers[0].op
    >>> pairs = [(torch.ones(1, 2), torch.tensor([[3.0, -1.0]]))]
    >>> dtd.lrp.four_steps(layer, pairs, torch.tensor([[2.0]]), torch.tensor([[4.0]]))
    (tensor([[ 3., -1.]]), tensor([[2.]]))
    """
    z = bias + sum(affine.linear(x, w) for x, w in pairs)
    s = divide(relevance, z + epsilon * sign(z))
    return sum(x * affine.transpose(s, w) for x, w in pairs), s * bias


def signed(a: Any, w: Any, side: int) -> Pairs:
    """``(a_j w_jk)⁺`` (side +1) or ``(a_j w_jk)⁻`` (side −1) as products of parts."""
    same = [(positive(a), positive(w)), (negative(a), negative(w))]
    return same if side > 0 else [(positive(a), negative(w)), (negative(a), positive(w))]


def part(value: Any, side: int) -> Any:
    """The positive (side +1) or negative (side −1) part."""
    return positive(value) if side > 0 else negative(value)


@dataclass(frozen=True, eq=False)
class LRPRule(Propagation, Printed):
    """An explicit rule ``R_j = Σ_k (share of j in k) R_k``.

    Parameters are checked when a rule is made.

    >>> import dtd
    >>> dtd.lrp.LRPGamma(gamma=-1.0)
    Traceback (most recent call last):
    dtd.errors.InputError: 'gamma'...
    """

    bias: str = "fixed"
    requires: ClassVar[Domain] = Real()
    remedy: ClassVar[str] = ""
    prints_defaults: ClassVar[bool] = True

    def __post_init__(self):
        check_parameter(self.bias in BIASES, "bias", f"one of {', '.join(BIASES)}", repr(self.bias))
        self.check_parameters()

    def check_parameters(self) -> None:
        """Raise :class:`InputError` for parameters that the rule's family does not have."""
        return None

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, AffineMap)

    @abstractmethod
    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        """Relevance of the inputs and of the bias neuron. # shape: (B, *in), (B, *out)"""

    def propagate(self, affine: AffineMap, a: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        """:meth:`redistribute` under the rule's bias convention."""
        b = 0 if affine.bias is None else affine.per_output(affine.bias)
        lower, share = self.redistribute(affine, a, 0 if self.bias == "fixed" else b, relevance, domain)
        if self.bias == "distribute":
            ones = affine.weight * 0 + 1
            count = affine.linear(a * 0 + 1, ones)
            return lower + affine.transpose(divide(share, count), ones), share * (1 - nonzero(count))
        return lower, share

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        a = layer.joined(inputs)
        layer.check(self.requires, a, type(self).__name__, self.remedy)
        return layer.op.apply(a), a

    def backward(self, layer: Layer, saved: Tensor, relevance: Tensor) -> Propagated:
        """An explicit rule has no root: what it does not hand down is reported as its remainder, unexplained."""
        lower, share = self.propagate(layer.op, saved, relevance, layer.domain)
        bias = per_sample(share + 0 * relevance)
        remainder = per_sample(relevance) - per_sample(lower) - bias
        return Propagated(layer.parted(lower), balance(relevance, (lower,), bias=bias, remainder=remainder))
