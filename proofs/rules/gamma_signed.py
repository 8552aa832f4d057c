"""LRP-γ for inputs and outputs of either sign: the contributions of the output's own sign are boosted."""

from dataclasses import dataclass

from dtd.algebra import negative, positive, step
from dtd.direction import Boost, Factor, SignedGamma
from dtd.direction.functions import signed_parts
from dtd.domain import Domain, Real
from proofs.formula import ratio
from proofs.layers import SIDES, Family
from proofs.rules.derivation import RuleProof, derived_as, with_direction, without_bias


def own_side(at, value):
    """``value⁺`` where z > 0, ``value⁻`` elsewhere."""
    up = step(at.z)
    up = up[..., None] if value.ndim == 3 else up
    return up * positive(value) + (1 - up) * negative(value)


def paper(at):
    """Andéol 2021, App. A.2: ``(a_j w_j + γ (a_j w_j)^±) / Σ_{0,j} (a_j w_j + γ (a_j w_j)^±) · R``."""
    gamma, products = at.parameters["gamma"], at.a * at.w
    return ratio(at, products + gamma * own_side(at, products), at.b + gamma * own_side(at, at.b))


def direction(at):
    up, products = step(at.z)[..., None], at.a * at.w
    return (at.a * (1 + at.parameters["gamma"] * (up * step(products) + (1 - up) * step(-products))),)


def parameters(entry, number):
    return {"gamma": number("gamma")}


@dataclass(frozen=True)
class OneSided(SignedGamma):
    """The positive contributions are boosted whatever the output's sign."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(Factor(part, Boost(self.gamma, sign)) for part, sign in signed_parts(domain))


@dataclass(frozen=True)
class BySignOfWeight(SignedGamma):
    """The sign of the weight in place of that of the contribution."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(Factor(part, Boost(self.gamma, side), side) for side in (1, -1) for part, _ in signed_parts(domain))


proof = RuleProof(
    name="gamma_signed",
    claim="The Taylor terms at the root along `a_j (1 + γ 1[± a_j w_j > 0])`, the sign being that of `z`, are the "
    "generalised LRP-γ.",
    paper=paper,
    direction=direction,
    families=tuple(Family(Real(), parameters, side=side, patterned=side != "z = 0") for side in SIDES),
    mutants=(
        ("direction boosts positive contributions also where `z ≤ 0`", with_direction("gamma_signed", OneSided)),
        ("direction with the sign of `w` for that of `a w`", with_direction("gamma_signed", BySignOfWeight)),
        ("direction of LRP-0", derived_as("gamma_signed", "lrp0")),
        ("explicit rule without the bias", without_bias("gamma_signed")),
    ),
).build()
