"""Search directions: where the root of each upper unit is looked for.

A direction is a sum of factor pairs, ``v_kj = Σ_m u_m(a_j) d_m(w_kj)``, and nothing more. One object therefore has
three readings: the explicit tensor of directions (audits), passes with the modified weights ``ρ_m(w) = w d_m(w)``
(explanations) and, on symbols, the rule itself (proofs).

To add a direction, subclass :class:`Direction` and return its factors; everything else follows.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd import algebra
from dtd.algebra import identity, negative, nonzero, one, positive, step
from dtd.domain import Bound, Box, Domain, NonNegative, Real
from dtd.errors import DomainError, InputError, check_parameter

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Factor:
    """One pair ``u(a) d(w)`` of a direction, for all units or only for those on one side of zero.

    ``side`` is 0 for every unit, +1 for units with ``z > 0``, −1 for units with ``z ≤ 0``.
    """

    activation: Function
    weight: Function
    side: int = 0

    def rho(self, w):
        """The modified weight ``ρ(w) = w d(w)`` of the fused passes."""
        return w if self.keeps_weight else w * self.weight(w)

    @property
    def keeps_weight(self) -> bool:
        """Whether ``ρ(w) = w``: ``d(w) = 1``, everywhere or where ``w ≠ 0``."""
        return self.weight in (one, nonzero)

    def gate(self, z):
        """The indicator of the units that the pair is for: ``1``, ``1[z > 0]`` or ``1[z ≤ 0]``."""
        return 1 if self.side == 0 else step(z) if self.side > 0 else 1 - step(z)


class Direction(ABC):
    """A search direction ``v_kj`` for every upper unit k and lower unit j.

    ``requires`` is the domain that the direction's definition assumes of its inputs; values outside it are an
    error where the direction is used, not a silent change of meaning.
    """

    requires: Domain = Real()
    remedy: str = ""

    @abstractmethod
    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        """The pairs ``(u_m, d_m)`` on a domain; pairs that vanish on it are left out."""

    def bias(self, b):
        """The bias neuron's own direction ``v_k0 = Σ_m u_m(1) d_m(b_k)`` (input ``a_0 = 1``, weight ``b_k``)."""
        total = 0
        for factor in self.factors(Real()):
            if factor.side:
                raise NotImplementedError("a direction with sides defines bias_on(b, z) itself")
            total = total + factor.activation(1) * factor.weight(b)
        return total

    def bias_on(self, b, z):
        """:meth:`bias` for units with pre-activation ``z``; differs only for directions with sides."""
        return self.bias(b)

    def bound(self, domain: Domain) -> "Direction":
        """The direction with whatever it takes from the layer's domain filled in; itself, for most."""
        return self


@dataclass(frozen=True)
class Boost:
    """``1 + γ 1[w > 0]`` (side +1) or ``1 + γ 1[w < 0]`` (side −1)."""

    gamma: float
    side: int = 1

    def __call__(self, w):
        return 1 + self.gamma * step(w * self.side)


@dataclass(frozen=True)
class Only:
    """``1[w > 0]`` (side +1) or ``1[w < 0]`` (side −1)."""

    side: int

    def __call__(self, w):
        return step(w * self.side)


@dataclass(frozen=True, eq=False)
class Given:
    """A constant in place of a function of the activation or of the weight."""

    value: Any

    def __call__(self, _):
        return self.value


def signed_parts(domain: Domain) -> list[tuple[Function, int]]:
    """The positive and negative part of the activations with their signs, without parts that vanish on the domain."""
    if domain.nonnegative:
        return [(identity, 1)]
    if domain.nonpositive:
        return [(identity, -1)]
    return [(positive, 1), (negative, -1)]


@dataclass(frozen=True)
class Activations(Direction):
    """``v_kj = a_j``: the segment to the origin. With it the root gives LRP-0 (and LRP-ε when damped)."""

    def factors(self, domain):
        return (Factor(identity, one),)


@dataclass(frozen=True)
class Gamma(Direction):
    """``v_kj = a_j (1 + γ 1[w_kj > 0])``, γ ≥ 0: LRP-γ (LRP overview 2019, Sec. 10.2.1)."""

    gamma: float = 0.25

    def __post_init__(self):
        check_parameter(self.gamma >= 0, "gamma", ">= 0", self.gamma)

    def factors(self, domain):
        return (Factor(identity, Boost(self.gamma)),)


@dataclass(frozen=True)
class SignedGamma(Direction):
    """LRP-γ for inputs and outputs of either sign (generalised γ rule).

    ``v_kj = a_j (1 + γ 1[a_j w_kj > 0])`` where ``z_k > 0`` and ``a_j (1 + γ 1[a_j w_kj < 0])`` where ``z_k ≤ 0``: the
    contributions of the output's own sign are boosted.
    """

    gamma: float = 0.25

    def __post_init__(self):
        check_parameter(self.gamma >= 0, "gamma", ">= 0", self.gamma)

    def factors(self, domain):
        return tuple(
            Factor(part, Boost(self.gamma, sign * side), side) for side in (1, -1) for part, sign in signed_parts(domain)
        )

    def bias_on(self, b, z):
        up = step(z)
        return up * Boost(self.gamma, 1)(b) + (1 - up) * Boost(self.gamma, -1)(b)


@dataclass(frozen=True)
class ZPlus(Direction):
    """``v_kj = a_j 1[w_kj > 0]`` on ``a ≥ 0``: the z⁺ rule (Montavon 2017, Sec. 4.2), also called α1β0."""

    requires = NonNegative()
    remedy = "Use zplus_signed, z^B with Box(low, high), or w²."

    def factors(self, domain):
        return (Factor(identity, Only(1)),)


@dataclass(frozen=True)
class Contributions(Direction):
    """``v_kj = a_j 1[± a_j w_kj > 0]``: the contributions of one sign, for inputs of any sign.

    ``sign = +1`` is the z⁺ rule for signed inputs; ``sign = −1`` is the z⁻ half of αβ.
    """

    sign: int = 1

    def __post_init__(self):
        check_parameter(self.sign in (1, -1), "sign", "+1 or -1", self.sign)

    def factors(self, domain):
        return tuple(Factor(part, Only(sign * self.sign)) for part, sign in signed_parts(domain))


@dataclass(frozen=True)
class Weights(Direction):
    """``v_kj = w_kj``: the shortest way to the root hyperplane; the w² rule (Montavon 2017, Sec. 4.1)."""

    def factors(self, domain):
        return (Factor(one, identity),)


@dataclass(frozen=True)
class Flat(Direction):
    """``v_kj = 1/w_kj`` (0 where ``w_kj = 0``, where no root moves): the flat rule, as a formal root."""

    def factors(self, domain):
        return (Factor(one, algebra.reciprocal),)


@dataclass(frozen=True, eq=False)
class ToBox(Direction):
    """``v_kj = a_j 1[w_kj ≠ 0] − l_j 1[w_kj > 0] − h_j 1[w_kj < 0]``: towards the box's corner where the unit is lowest.

    The z^B rule (Montavon 2017, Sec. 4.2). Bounds are numbers or tensors that broadcast to ``(B, *shape)``; left out,
    they are those of the layer's domain, which must then be a box. The bias neuron's box is a point: ``v_k0 = 0``.
    """

    low: Bound | None = None
    high: Bound | None = None
    remedy = "Give the bounds that the data has: dtd.Box(low, high) for the input, or zbox with low and high."

    def __post_init__(self):
        check_parameter((self.low is None) == (self.high is None), "low and high", "given together", "only one")

    @property
    def requires(self):
        return Real() if self.low is None else Box(self.low, self.high)

    def bound(self, domain):
        if self.low is not None:
            return self
        if not isinstance(domain, Box):
            raise DomainError(
                f"z^B needs a box; the layer's inferred domain is {domain}. Trace with domain=dtd.Box(low, high), "
                f"give the rule low and high, or use w² (real inputs) or z+ (non-negative inputs)."
            )
        return ToBox(domain.low, domain.high)

    def factors(self, domain):
        box = self.bound(domain)
        low, high = (-b if not isinstance(b, (int, float)) else -float(b) for b in (box.low, box.high))
        pairs = [Factor(identity, nonzero), Factor(Given(low), Only(1)), Factor(Given(high), Only(-1))]
        return tuple(p for p in pairs if not is_zero(p.activation))

    def bias(self, b):
        return 0 * b


@dataclass(frozen=True, eq=False)
class Pattern(Direction):
    """``v_kj = p_kj``: a pattern estimated from data (PatternAttribution, Kindermans 2018, Sec. 4).

    ``pattern`` has the shape of the layer's weight. The bias neuron is constant, so its pattern is 0.
    """

    pattern: Tensor

    def factors(self, domain):
        return (Factor(one, self._on),)

    def _on(self, w):
        if tuple(w.shape) != tuple(self.pattern.shape):
            raise InputError(
                f"A pattern needs its layer's weight shape {tuple(w.shape)}; found {tuple(self.pattern.shape)}."
            )
        return self.pattern

    def bias(self, b):
        return 0 * b


@dataclass(frozen=True, eq=False)
class Toward(Direction):
    """``v_kj = a_j − x̃_j``: the line through a reference point ``x̃``, a number or a tensor that broadcasts."""

    point: Bound = 0.0

    def factors(self, domain):
        return (Factor(identity, one), Factor(Given(-self.point), one))

    def bias(self, b):
        return 0 * b


def is_zero(function: Function) -> bool:
    """Whether a factor is the number 0, and so not worth a pass."""
    return isinstance(function, Given) and isinstance(function.value, (int, float)) and function.value == 0
