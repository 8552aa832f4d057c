"""LRP-γ: the root along ``a_j (1 + γ 1[w_j > 0])``."""

from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.algebra import identity, positive, step
from dtd.direction import Boost, Factor, Gamma
from dtd.domain import Domain, Real
from dtd.lrp import LRPGamma, four_steps
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, derived_as, with_direction, with_formula


def paper(at):
    """Montavon 2019, Sec. 10.2.1: ``a_j (w_j + γ w_j⁺) / Σ_{0,j} a_j (w_j + γ w_j⁺) · R``."""
    gamma = at.parameters["gamma"]
    return ratio(at, at.a * (at.w + gamma * positive(at.w)), at.b + gamma * positive(at.b))


def direction(at):
    return (at.a * (1 + at.parameters["gamma"] * step(at.w)),)


def parameters(entry, number):
    return {"gamma": number("gamma")}


@dataclass(frozen=True)
class BoostsAll(Gamma):
    """|w| in place of w⁺."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, lambda w: 1 + self.gamma * step(w) - self.gamma * step(-w)),)


@dataclass(frozen=True)
class BoostsNegative(Gamma):
    """w⁻ in place of w⁺."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, Boost(self.gamma, -1)),)


@dataclass(frozen=True, eq=False)
class ForgetsBias(LRPGamma):
    """The bias neuron keeps its weight b instead of b + γ b⁺."""

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a, affine.weight + self.gamma * positive(affine.weight))], bias, relevance)


proof = RuleProof(
    name="gamma",
    claim="The Taylor terms at the root along `a_j (1 + γ 1[w_j > 0])` are LRP-γ.",
    paper=paper,
    direction=direction,
    families=(Family(parameters=parameters), Family(Real(), parameters, patterned=False, note="real inputs")),
    mutants=(
        ("direction with `|w|` for `w⁺`", with_direction("gamma", BoostsAll)),
        ("direction boosts the negative weights", with_direction("gamma", BoostsNegative)),
        ("direction of LRP-0", derived_as("gamma", "lrp0")),
        ("explicit rule without the boost of the bias", with_formula("gamma", ForgetsBias)),
    ),
).build()
