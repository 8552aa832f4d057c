"""flat: the formal root along ``1 / w_j``, which needs every weight to differ from 0."""

from dataclasses import dataclass

from dtd.algebra import nonzero, one, reciprocal, sign
from dtd.direction import Factor, Flat
from dtd.domain import Real
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, derived_as, with_direction, without_bias


def paper(at):
    """Lapuschkin 2019, Methods: ``1 / Σ_{0,j} 1 · R``; a bias that is 0 is no neuron."""
    return ratio(at, 0 * at.a * at.w + 1, nonzero(at.b))


def direction(at):
    return (reciprocal(at.w) + 0 * at.a,)


@dataclass(frozen=True)
class Signs(Flat):
    """sign w for 1/w."""

    def factors(self, domain):
        return (Factor(one, sign),)


proof = RuleProof(
    name="flat",
    claim="Where every `w_j` differs from 0, the Taylor terms at the formal root along `1/w_j` are the flat rule.",
    paper=paper,
    direction=direction,
    families=(Family(Real(), weights="+-"),),
    mutants=(
        ("direction sign `w` for `1/w`", with_direction("flat", Signs)),
        ("direction of `w²`", derived_as("flat", "wsquare")),
        ("explicit rule without the bias", without_bias("flat")),
    ),
    reference="Lapuschkin 2019, Methods; Montavon 2019, Table 10.1",
    note="An input whose weight is 0 gets nothing at any root, while the flat formula gives it a share: there the "
    "rule has no root. See flat_formal.",
).build()
