"""z⁺ for inputs of either sign: the root along ``a_j 1[a_j w_j > 0]``."""

from dtd.algebra import positive, step
from dtd.direction import Contributions, ZPlus
from dtd.domain import Real
from dtd.lrp import LRPZPlus
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, with_direction, with_formula, without_bias


def paper(at):
    """Bach 2015, Eq. 60 with α = 1, β = 0: ``(a_j w_j)⁺ / Σ_{0,j} (a_j w_j)⁺ · R``."""
    return ratio(at, positive(at.a * at.w), positive(at.b))


def direction(at):
    return (at.a * step(at.a * at.w),)


proof = RuleProof(
    name="zplus_signed",
    claim="The Taylor terms at the root along `a_j 1[a_j w_j > 0]` are the `z⁺` rule for signed inputs.",
    paper=paper,
    direction=direction,
    families=(Family(Real()), Family(patterned=False, note="inputs >= 0")),
    mutants=(
        ("direction of the negative contributions", with_direction("zplus_signed", lambda: Contributions(-1))),
        ("direction of `z⁺`, which ignores the sign of `a`", with_direction("zplus_signed", ZPlus)),
        ("explicit `z⁺` rule, which ignores the sign of `a`", with_formula("zplus_signed", LRPZPlus)),
        ("explicit rule without the bias", without_bias("zplus_signed")),
    ),
).build()
