"""The explicit LRP rules, written from the papers' formulas and from nothing else in this package.

Each rule is the four-step procedure of the LRP overview (Montavon 2019, Sec. 10.2.2) with its own modified inputs and
weights: forward ``z_k = Σ_j x_j W_jk``, divide ``s_k = R_k / z_k``, backward ``c_j = Σ_k W_jk s_k``, multiply
``R_j = x_j c_j``. A unit whose denominator is 0 redistributes nothing (0/0 := 0).

``bias`` says what the formulas' sum ``Σ_{0,j}`` means: ``"neuron"`` includes the bias as an input ``a_0 = 1`` with
weight ``b``; ``"fixed"`` sums over the inputs only (elsewhere: zero-bias form); ``"distribute"`` includes it and hands
its share evenly to the inputs.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import divide, negative, nonzero, positive, sign, step
from dtd.domain import Box, Domain, NonNegative, Real, varies_by_sample
from dtd.errors import DomainError
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample

Pairs = list[tuple[Any, Any]]


def four_steps(affine: AffineMap, pairs: Pairs, bias: Any, relevance: Any, epsilon: Any = 0) -> tuple[Any, Any]:
    """Forward, divide, backward, multiply: relevance of the inputs and of the bias. # shape: (B, *in), (B, *out)

    ``pairs`` are (modified inputs, modified weights) whose contributions add up; ``bias`` the bias term of ``Σ_{0,j}``.
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
class LRPRule(Propagation):
    """An explicit rule ``R_j = Σ_k (share of j in k) R_k``."""

    bias: str = "fixed"
    requires: ClassVar[Domain] = Real()
    remedy: ClassVar[str] = ""

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


@dataclass(frozen=True, eq=False)
class LRPEpsilon(LRPRule):
    """``R_j = Σ_k a_j w_jk / (ε sign(z_k) + Σ_{0,j} a_j w_jk) R_k``; ε = 0 is LRP-0 (Montavon 2019, Sec. 10.2.1).

    ``epsilon`` is a number or a function of the layer's pre-activations. Source of the rule: Bach 2015, Eq. 58.
    """

    epsilon: float | Callable[[Any], Any] = 0

    def sample_wise(self, layer):
        return not callable(self.epsilon) or getattr(self.epsilon, "sample_wise", False)

    def redistribute(self, affine, a, bias, relevance, domain):
        epsilon = self.epsilon(affine.apply(a)) if callable(self.epsilon) else self.epsilon
        return four_steps(affine, [(a, affine.weight)], bias, relevance, epsilon)


@dataclass(frozen=True, eq=False)
class LRPGamma(LRPRule):
    """``R_j = Σ_k a_j (w_jk + γ w_jk⁺) / Σ_{0,j} a_j (w_jk + γ w_jk⁺) R_k`` (Montavon 2019, Sec. 10.2.1)."""

    gamma: float = 0.25

    def redistribute(self, affine, a, bias, relevance, domain):
        weight = affine.weight + self.gamma * positive(affine.weight)
        return four_steps(affine, [(a, weight)], bias + self.gamma * positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPSignedGamma(LRPRule):
    """LRP-γ with the contributions of the output's own sign boosted, for inputs and outputs of either sign.

    ``R_j = Σ_k (a_j w_jk + γ (a_j w_jk)^±) / Σ_{0,j} (a_j w_jk + γ (a_j w_jk)^±) R_k`` with + where ``z_k > 0`` and −
    elsewhere (the generalised γ rule, Andéol 2021, App. A.2).
    """

    gamma: float = 0.25

    def redistribute(self, affine, a, bias, relevance, domain):
        up = step(affine.apply(a))
        lower, share = 0, 0
        for side, active in ((1, up), (-1, 1 - up)):
            boosted = [(x, self.gamma * w) for x, w in signed(a, affine.weight, side)]
            pairs = [(a, affine.weight), *boosted]
            below, of_bias = four_steps(affine, pairs, bias + self.gamma * part(bias, side), active * relevance)
            lower, share = lower + below, share + of_bias
        return lower, share


@dataclass(frozen=True, eq=False)
class LRPZPlus(LRPRule):
    """``R_j = Σ_k a_j w_jk⁺ / Σ_{0,j} a_j w_jk⁺ R_k`` for ``a ≥ 0`` (Montavon 2017, Sec. 4.2)."""

    requires = NonNegative()
    remedy = "Use the signed form, z^B with bounds, or w²."

    def redistribute(self, affine, a, bias, relevance, domain):
        return four_steps(affine, [(a, positive(affine.weight))], positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPSignedZPlus(LRPRule):
    """``R_j = Σ_k (a_j w_jk)⁺ / Σ_{0,j} (a_j w_jk)⁺ R_k`` for inputs of either sign (Bach 2015, Eq. 60 with β = 0)."""

    def redistribute(self, affine, a, bias, relevance, domain):
        return four_steps(affine, signed(a, affine.weight, 1), positive(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPAlphaBeta(LRPRule):
    """``R_j = Σ_k (α (a_j w_jk)⁺ / Σ_{0,j} (a_j w_jk)⁺ − β (a_j w_jk)⁻ / Σ_{0,j} (a_j w_jk)⁻) R_k``, α − β = 1.

    Source: Bach 2015, Eq. 60 (there with ``β := −β``); Montavon 2019, Table 10.1.
    """

    alpha: float = 2.0
    beta: float = 1.0

    def redistribute(self, affine, a, bias, relevance, domain):
        w = affine.weight
        up, up_bias = four_steps(affine, signed(a, w, 1), positive(bias), relevance)
        down, down_bias = four_steps(affine, signed(a, w, -1), negative(bias), relevance)
        return self.alpha * up - self.beta * down, self.alpha * up_bias - self.beta * down_bias


@dataclass(frozen=True, eq=False)
class LRPWSquare(LRPRule):
    """``R_j = Σ_k w_jk² / Σ_{0,j} w_jk² R_k`` (Montavon 2017, Sec. 4.1)."""

    def redistribute(self, affine, a, bias, relevance, domain):
        return four_steps(affine, [(a * 0 + 1, affine.weight**2)], bias**2, relevance)


@dataclass(frozen=True, eq=False)
class LRPFlat(LRPRule):
    """``R_j = Σ_k 1 / Σ_{0,j} 1 R_k``: evenly over the inputs, a bias that is not 0 counting as one (Lapuschkin 2019)."""

    def redistribute(self, affine, a, bias, relevance, domain):
        return four_steps(affine, [(a * 0 + 1, affine.weight * 0 + 1)], nonzero(bias), relevance)


@dataclass(frozen=True, eq=False)
class LRPZBox(LRPRule):
    """``R_j = Σ_k (a_j w_jk − l_j w_jk⁺ − h_j w_jk⁻) / Σ_j (a_j w_jk − l_j w_jk⁺ − h_j w_jk⁻) R_k``.

    Source: Montavon 2017, Sec. 4.2. Bounds that are left out are those of the layer's domain.
    """

    low: float | Tensor | None = None
    high: float | Tensor | None = None
    remedy = "Give the bounds that the data has."

    @property
    def requires(self) -> Domain:
        return Real() if self.low is None else Box(self.low, self.high)

    def sample_wise(self, layer):
        bounds = layer.domain.bounds() if self.low is None else (self.low, self.high)
        return not any(map(varies_by_sample, bounds))

    def redistribute(self, affine, a, bias, relevance, domain):
        if self.low is None and not isinstance(domain, Box):
            raise DomainError(f"The z^B rule needs bounds; the layer's domain is {domain}. Give low and high.")
        low, high = (self.low, self.high) if self.low is not None else domain.bounds()
        w, full = affine.weight, a * 0 + 1
        pairs = [(a, w), (-low * full, positive(w)), (-high * full, negative(w))]
        return four_steps(affine, pairs, 0 * bias, relevance)


@dataclass(frozen=True, eq=False)
class LRPPattern(LRPRule):
    """``R_j = Σ_k w_jk p_jk / Σ_j w_jk p_jk R_k``: PatternAttribution (Kindermans 2018, Sec. 4; there ``wᵀp = 1``)."""

    pattern: Tensor = field(kw_only=True)

    def redistribute(self, affine, a, bias, relevance, domain):
        return four_steps(affine, [(a * 0 + 1, affine.weight * self.pattern)], 0 * bias, relevance)
