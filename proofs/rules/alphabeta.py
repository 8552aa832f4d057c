"""LRP-αβ: an affine mix of two roots, α times the z⁺ root and −β times the z⁻ root, α − β = 1."""

from dataclasses import replace

from dtd.algebra import negative, positive, step
from dtd.direction import Contributions
from dtd.domain import Real
from dtd.lrp import LRPAlphaBeta
from dtd.plans.rules import catalogue
from dtd.root import Mix, Ray
from proofs.formula import ratio
from proofs.layers import Family
from proofs.rules.derivation import RuleProof, without_bias


def paper(at):
    """Bach 2015, Eq. 60: ``(α (a_j w_j)⁺ / Σ_{0,j} (a_j w_j)⁺ − β (a_j w_j)⁻ / Σ_{0,j} (a_j w_j)⁻) · R``."""
    alpha, products = at.parameters["alpha"], at.a * at.w
    up, down = (ratio(at, part(products), part(at.b)) for part in (positive, negative))
    return up.scale(alpha) + down.scale(1 - alpha)


def direction(at):
    products = at.a * at.w
    return at.a * step(products), at.a * step(-products)


def parameters(entry, number):
    return {"alpha": 1 + number("beta")}


def mixed(weights, signs=(1, -1)):
    """The rule with other weights of its two roots."""

    def derived(alpha, bias):
        first, second = (Ray(Contributions(sign), bias, line=True) for sign in signs)
        of_first, of_second = weights(alpha)
        return Mix(((of_first, first), (of_second, second)))

    return replace(catalogue["alphabeta"], roots=derived)


def swapped(alpha, bias):
    """α and β exchanged in the explicit rule."""
    return LRPAlphaBeta(bias, 1 - alpha, -alpha)


proof = RuleProof(
    name="alphabeta",
    claim="The expansion at `α` times the `z⁺` root minus `β` times the `z⁻` root, `α - β = 1`, is LRP-αβ.",
    paper=paper,
    direction=direction,
    families=(Family(Real(), parameters), Family(parameters=parameters, patterned=False, note="inputs >= 0")),
    mutants=(
        ("the roots exchanged", mixed(lambda alpha: (alpha, 1 - alpha), (-1, 1))),
        ("the weights of the roots exchanged", mixed(lambda alpha: (1 - alpha, alpha))),
        ("the explicit rule with `α` and `β` exchanged", replace(catalogue["alphabeta"], formula=swapped)),
        ("explicit rule without the bias", without_bias("alphabeta")),
    ),
).build()
