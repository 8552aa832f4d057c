"""w²: the root along ``w_j``, the nearest one."""

from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.algebra import one
from dtd.direction import Factor, Weights
from dtd.domain import Domain, Real
from dtd.lrp import LRPWSquare, four_steps
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, with_direction, with_formula, without_bias


def paper(at):
    """Montavon 2017, Sec. 4.1: ``w_j² / Σ_{0,j} w_j² · R``."""
    return ratio(at, at.w**2 + 0 * at.a, at.b**2)


def direction(at):
    return (at.w + 0 * at.a,)


@dataclass(frozen=True)
class Squares(Weights):
    """w² for w as the direction."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, lambda w: w**2),)


@dataclass(frozen=True, eq=False)
class Absolute(LRPWSquare):
    """|w| for w²."""

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, abs(affine.weight))], abs(bias), relevance)


proof = RuleProof(
    name="wsquare",
    claim="The Taylor terms at the root along `w_j` are the `w²` rule.",
    paper=paper,
    direction=direction,
    families=(Family(Real()),),
    mutants=(
        ("direction `w²` for `w`", with_direction("wsquare", Squares)),
        ("explicit rule with `|w|` for `w²`", with_formula("wsquare", Absolute)),
        ("explicit rule without the bias", without_bias("wsquare")),
    ),
).build()
