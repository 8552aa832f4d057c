"""What ``Direction.mirrored`` declares: one pass gives ``n`` for units on both sides of zero."""

from dataclasses import dataclass

from dtd.direction import Boost, Direction, Factor, SignedGamma
from dtd.direction.functions import signed_parts
from dtd.domain import Domain, Real
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, unconditional
from proofs.layers import INPUTS, Family, Setting


def parameters(entry, number):
    return {"gamma": number("gamma")}


def size(at: Setting, direction: Direction, side: int):
    """``n = w·v`` by the factors for units on one side of zero, whatever the sign of z. # shape: (1, K)"""
    pairs = [factor for factor in direction.factors(at.domain) if factor.side in (0, side)]
    return sum(at.total(at.w * at.units.of_activations(f.activation) * at.units.of_weights(f.weight)) for f in pairs)


def steps(at: Setting, subject: type[SignedGamma]):
    direction = subject(**at.parameters)
    above, below = (size(at, direction, side) for side in (1, -1))
    whole = at.total(at.a * at.w)
    yield Step("n₊ + n₋", above + below, (2 + at.parameters["gamma"]) * whole, "each contribution is boosted on one side")
    yield Step("mirrored", direction.mirrored, 2 + at.parameters["gamma"], "what the direction declares", reads="2 + γ")
    yield Step("n₋", below, direction.mirrored * whole - above, "so the pass for `n₊` gives `n₋` too")


@dataclass(frozen=True)
class Once(SignedGamma):
    """Declares that the boosted part counts once."""

    @property
    def mirrored(self) -> float:
        return 1 + self.gamma


@dataclass(frozen=True)
class Inherited(SignedGamma):
    """Factors that do not mirror each other, under the declaration of others."""

    mirrored = SignedGamma.mirrored

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(
            Factor(part, Boost(self.gamma, 1 if side < 0 else sign), side)
            for side in (1, -1)
            for part, sign in signed_parts(domain)
        )


def cases():
    """Inputs of either sign, and inputs ≥ 0, with every pattern of signs."""
    yield from Family(Real(), parameters).cases(("fixed",))
    yield from Family(INPUTS, parameters, note="inputs >= 0").cases(("fixed",), shown=False)


proof = Proof(
    name="mirror",
    claim="For the generalised LRP-γ, `n` of a unit with `z ≤ 0` is `(2 + γ) Σ_j a_j w_j - n₊`, where `n₊` is `w·v` by the "
    "factors for units with `z > 0`.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("declared as `1 + γ`", Once),
        Mutant("the sign of the weight where `z ≤ 0`, under the same declaration", Inherited),
    ),
    reference="Andéol 2021, App. A.2 (the directions)",
    subject=SignedGamma,
    cases=cases,
)
