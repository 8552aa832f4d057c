"""PatternAttribution: the root along a pattern ``p_j`` estimated from data."""

from dataclasses import dataclass
from typing import Any

from dtd.affine import AffineMap
from dtd.direction import Pattern
from dtd.domain import Domain, Real
from dtd.lrp import LRPPattern, four_steps
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, derived_as, with_direction, with_formula


def paper(at):
    """Kindermans 2018, Sec. 4 (there with ``w·p = 1``): ``w_j p_j / Σ_j w_j p_j · R``."""
    return ratio(at, at.w * at.parameters["pattern"] + 0 * at.a, 0 * at.b)


def direction(at):
    return (at.parameters["pattern"] + 0 * at.a * at.w,)


def parameters(entry, number):
    return {"pattern": entry("p")}


@dataclass(frozen=True, eq=False)
class OnlyPattern(LRPPattern):
    """p for w p."""

    def redistribute(self, affine: AffineMap, a: Any, bias: Any, relevance: Any, domain: Domain) -> tuple[Any, Any]:
        return four_steps(affine, [(a * 0 + 1, affine.weight * 0 + self.pattern)], 0 * bias, relevance)


proof = RuleProof(
    name="pattern",
    claim="The Taylor terms at the root along a pattern `p_j` are PatternAttribution.",
    paper=paper,
    direction=direction,
    families=(Family(Real(), parameters, patterned=False, units=1),),
    mutants=(
        ("direction `-p` in one input", with_direction("pattern", lambda pattern: Pattern(flip(pattern)))),
        ("direction of `w²`", derived_as("pattern", "wsquare")),
        ("explicit rule with `p` for `w p`", with_formula("pattern", OnlyPattern)),
    ),
).build()


def flip(pattern):
    """The pattern with the sign of its first entry changed."""
    changed = pattern.copy()
    changed[..., 0] = -changed[..., 0]
    return changed
