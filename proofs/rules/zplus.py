"""z⁺, also α1β0: the root along ``a_j 1[w_j > 0]``, for inputs >= 0."""

from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.algebra import identity, positive, step
from dtd.direction import Factor, Only, ZPlus
from dtd.domain import Domain
from dtd.lrp import LRPZPlus, four_steps
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, with_direction, with_formula


def paper(at):
    """Montavon 2017, Sec. 4.2: ``a_j w_j⁺ / Σ_{0,j} a_j w_j⁺ · R``."""
    return ratio(at, at.a * positive(at.w), positive(at.b))


def direction(at):
    return (at.a * step(at.w),)


@dataclass(frozen=True)
class Absolute(ZPlus):
    """|w| for w⁺."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, lambda w: step(w) - step(-w)),)


@dataclass(frozen=True)
class Minus(ZPlus):
    """w⁻ for w⁺."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(identity, Only(-1)),)


@dataclass(frozen=True, eq=False)
class WholeBias(LRPZPlus):
    """b for b⁺."""

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a, positive(affine.weight))], bias, relevance)


proof = RuleProof(
    name="zplus",
    claim="For `a_j ≥ 0` the Taylor terms at the root along `a_j 1[w_j > 0]` are the `z⁺` rule.",
    paper=paper,
    direction=direction,
    families=(Family(),),
    mutants=(
        ("direction with `|w|` for `w⁺`", with_direction("zplus", Absolute)),
        ("direction with `w⁻` for `w⁺`", with_direction("zplus", Minus)),
        ("explicit rule with `b` for `b⁺`", with_formula("zplus", WholeBias)),
    ),
).build()
