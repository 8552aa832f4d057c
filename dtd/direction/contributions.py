"""Directions along the activations: LRP-0 and ε, γ, z⁺ and the halves of αβ, reference points."""

from dataclasses import dataclass
from typing import Any

from dtd.algebra import identity, one, step
from dtd.direction.base import Direction, Factor
from dtd.direction.functions import Boost, Given, Only, signed_parts
from dtd.domain import Bound, Domain, NonNegative
from dtd.errors import check_nonnegative, check_parameter


@dataclass(frozen=True)
class Activations(Direction):
    """``v_kj = a_j``: the segment to the origin. With it the root gives LRP-0 (and LRP-ε when damped)."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, one),)


@dataclass(frozen=True)
class Gamma(Direction):
    """``v_kj = a_j (1 + γ 1[w_kj > 0])``, γ ≥ 0: LRP-γ (LRP overview 2019, Sec. 10.2.1)."""

    gamma: float = 0.25

    def __post_init__(self):
        check_nonnegative("gamma", self.gamma)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, Boost(self.gamma)),)


@dataclass(frozen=True)
class SignedGamma(Direction):
    """LRP-γ for inputs and outputs of either sign (generalised γ rule).

    ``v_kj = a_j (1 + γ 1[a_j w_kj > 0])`` where ``z_k > 0`` and ``a_j (1 + γ 1[a_j w_kj < 0])`` where ``z_k ≤ 0``: the
    contributions of the output's own sign are boosted.
    """

    gamma: float = 0.25

    def __post_init__(self):
        check_nonnegative("gamma", self.gamma)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(
            Factor(part, Boost(self.gamma, sign * side), side) for side in (1, -1) for part, sign in signed_parts(domain)
        )

    @property
    def mirrored(self) -> float:
        """``2 + γ``: every contribution is boosted on one side of zero and not on the other."""
        return 2 + self.gamma

    def bias_on(self, b: Any, z: Any) -> Any:
        up = step(z)
        return up * Boost(self.gamma, 1)(b) + (1 - up) * Boost(self.gamma, -1)(b)


@dataclass(frozen=True)
class ZPlus(Direction):
    """``v_kj = a_j 1[w_kj > 0]`` on ``a ≥ 0``: the z⁺ rule (Montavon 2017, Sec. 4.2), also called α1β0."""

    requires = NonNegative()
    remedy = "Use zplus_signed, z^B with Box(low, high), or w²."

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, Only(1)),)


@dataclass(frozen=True)
class Contributions(Direction):
    """``v_kj = a_j 1[± a_j w_kj > 0]``: the contributions of one sign, for inputs of any sign.

    ``sign = +1`` is the z⁺ rule for signed inputs; ``sign = −1`` is the z⁻ half of αβ.
    """

    sign: int = 1

    def __post_init__(self):
        check_parameter(self.sign in (1, -1), "sign", "+1 or -1", self.sign)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(Factor(part, Only(sign * self.sign)) for part, sign in signed_parts(domain))


@dataclass(frozen=True, eq=False)
class Toward(Direction):
    """``v_kj = a_j − x̃_j``: the line through a reference point ``x̃``, a number or a tensor that broadcasts."""

    point: Bound = 0.0

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, one), Factor(Given(-self.point), one))

    def bias(self, b: Any) -> Any:
        return 0 * b
