"""flat: the formal root along ``1 / w_j``, over the inputs whose weight is not 0."""

from dataclasses import dataclass

from dtd.algebra import nonzero, one, reciprocal, sign
from dtd.direction import Factor, Flat
from dtd.domain import Domain, Real
from dtd.lrp import LRPFlatAll
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, derived_as, with_direction, with_formula, without_bias


def paper(at):
    """Lapuschkin 2019, Methods: ``1 / Σ_{0,j} 1 · R``, over the inputs with ``w_j ≠ 0``; a bias that is 0 is no neuron."""
    return ratio(at, 0 * at.a + nonzero(at.w), nonzero(at.b))


def direction(at):
    return (reciprocal(at.w) + 0 * at.a,)


@dataclass(frozen=True)
class Signs(Flat):
    """sign w for 1/w."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, sign),)


proof = RuleProof(
    name="flat",
    claim="The Taylor terms at the formal root along `1/w_j` (0 where `w_j = 0`) are the flat rule over the inputs with "
    "`w_j ≠ 0`.",
    paper=paper,
    direction=direction,
    families=(Family(Real()),),
    mutants=(
        ("direction sign `w` for `1/w`", with_direction("flat", Signs)),
        ("direction of `w²`", derived_as("flat", "wsquare")),
        ("explicit rule that counts the inputs of weight 0 too", with_formula("flat", LRPFlatAll)),
        ("explicit rule without the bias", without_bias("flat")),
    ),
    note="An input whose weight is 0 gets nothing at any root. The form of the rule that gives it a share has no root "
    "there: see flat_root.",
).build()
