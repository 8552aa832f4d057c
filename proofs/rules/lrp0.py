"""LRP-0: the root along ``a_j``, on the segment to the origin."""

from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.domain import Domain, Real
from dtd.lrp import LRPZero, four_steps
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, derived_as, with_formula, without_bias


def paper(at):
    """Bach 2015, Eq. 56; Montavon 2019, Sec. 10.2.1: ``a_j w_j / Σ_{0,j} a_j w_j · R``."""
    return ratio(at, at.a * at.w, at.b)


def direction(at):
    return (at.a,)


@dataclass(frozen=True, eq=False)
class Absolute(LRPZero):
    """|w| for w."""

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a, abs(affine.weight))], bias, relevance)


proof = RuleProof(
    name="lrp0",
    claim="The Taylor terms at the root along `a_j` are LRP-0.",
    paper=paper,
    direction=direction,
    families=(Family(Real()),),
    mutants=(
        ("direction of `w²`", derived_as("lrp0", "wsquare")),
        ("direction of `z⁺`", derived_as("lrp0", "zplus_signed")),
        ("explicit rule with `|w|` for `w`", with_formula("lrp0", Absolute)),
        ("explicit rule without the bias", without_bias("lrp0")),
    ),
).build()
