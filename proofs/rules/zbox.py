"""z^B: the root towards the corner of the box where the unit is lowest."""

from dataclasses import dataclass
from typing import Any

from dtd.algebra import identity, negative, nonzero, one, positive, step
from dtd.direction import Factor, Given, Only, ToBox
from dtd.domain import Domain, Real
from dtd.lrp import LRPZBox
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, with_direction, with_formula


def bounds(at):
    """The bounds along the receptive fields."""
    return (at.units.of_activations(lambda _, bound=at.parameters[name]: bound) for name in ("low", "high"))


def paper(at):
    """Montavon 2017, Sec. 4.2: ``(a_j w_j − l_j w_j⁺ − h_j w_j⁻) / Σ_j (a_j w_j − l_j w_j⁺ − h_j w_j⁻) · R``."""
    low, high = bounds(at)
    return ratio(at, at.a * at.w - low * positive(at.w) - high * negative(at.w), 0 * at.b)


def direction(at):
    low, high = bounds(at)
    return (at.a * nonzero(at.w) - low * step(at.w) - high * step(-at.w),)


def parameters(entry, number):
    return {"low": entry("l", -9, -7), "high": entry("h", 7, 9)}


@dataclass(frozen=True, eq=False)
class Swapped(ToBox):
    """Towards the corner where the unit is highest."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        box: Any = self.bound(domain)
        return Factor(identity, one), Factor(Given(-box.high), Only(1)), Factor(Given(-box.low), Only(-1))


@dataclass(frozen=True, eq=False)
class OneCorner(ToBox):
    """The lower corner whatever the weights."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        box: Any = self.bound(domain)
        return Factor(identity, one), Factor(Given(-box.low), one)


proof = RuleProof(
    name="zbox",
    claim="The Taylor terms at the root along `a_j 1[w_j != 0] - l_j 1[w_j > 0] - h_j 1[w_j < 0]` are the `z^B` rule.",
    paper=paper,
    direction=direction,
    families=(Family(Real(), parameters),),
    mutants=(
        ("direction with `l` and `h` exchanged", with_direction("zbox", Swapped)),
        ("direction to the lower corner", with_direction("zbox", OneCorner)),
        ("explicit rule with `l` and `h` exchanged", with_formula("zbox", lambda bias, low, high: LRPZBox(bias, high, low))),
    ),
).build()
