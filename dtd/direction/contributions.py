"""Directions along the activations: LRP-0 and ε, γ, z⁺ and the halves of αβ, reference points."""

from dataclasses import dataclass
from typing import Any

from dtd.algebra import identity, one, step
from dtd.direction.base import Direction, Factor
from dtd.direction.functions import Boost, Given, Only, signed_parts
from dtd.domain import Bound, Domain, NonNegative
from dtd.errors import check_bound, check_nonnegative, check_parameter


@dataclass(frozen=True)
class Activations(Direction):
    """``v_kj = a_j``: the segment to the origin. With it the root gives LRP-0 (and LRP-ε when damped).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = a ⊙ w.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Activations()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 3., -1.]])
    """

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, one),)


@dataclass(frozen=True)
class Gamma(Direction):
    """``v_kj = a_j (1 + γ 1[w_kj > 0])``, γ ≥ 0: LRP-γ (LRP overview 2019, Sec. 10.2.1).

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: with γ = 1, R = 2 (6, −1)/5.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Gamma(1.0)))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.4000, -0.4000]])
    """

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

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: with γ = 1, R = 2 (6, −1)/5.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.SignedGamma(1.0)))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.4000, -0.4000]])
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
    """``v_kj = a_j 1[w_kj > 0]`` on ``a ≥ 0``: the z⁺ rule (Montavon 2017, Sec. 4.2), also called α1β0.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the one positive contribution takes all.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2), dtd.NonNegative())
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.ZPlus()))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[2., 0.]])
    """

    requires = NonNegative()
    remedy = "Use zplus_signed, z^B with Box(low, high), or w²."

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, Only(1)),)


@dataclass(frozen=True)
class Contributions(Direction):
    """``v_kj = a_j 1[± a_j w_kj > 0]``: the contributions of one sign, for inputs of any sign.

    ``sign = +1`` is the z⁺ rule for signed inputs; ``sign = −1`` is the z⁻ half of αβ.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the one positive contribution takes all.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Contributions(1)))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[2., 0.]])
    """

    sign: int = 1

    def __post_init__(self):
        check_parameter(self.sign in (1, -1), "sign", "+1 or -1", self.sign)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(Factor(part, Only(sign * self.sign)) for part, sign in signed_parts(domain))


@dataclass(frozen=True, eq=False)
class Toward(Direction):
    """``v_kj = a_j − x̃_j``: the line through a reference point ``x̃``, a number or a tensor that broadcasts.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: v = (1, −1), so R = 2 (3, 1)/4.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Toward(torch.tensor([0.0, 2.0]))))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.5000, 0.5000]])
    """

    point: Bound = 0.0

    def __post_init__(self):
        check_bound("point", self.point)

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, one), Factor(Given(-self.point), one))

    def bias(self, b: Any) -> Any:
        return 0 * b
