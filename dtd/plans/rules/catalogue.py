"""The catalogue: every LRP rule with its search direction, the papers' formula, its domain condition and its source.

Whatever names a rule, its parameters, its condition or its source reads them here: plans, configs, figures, proofs and the
page of rules. Texts mark their formulas with backticks.
"""

from collections.abc import Mapping
from typing import Any

from dtd import direction, lrp
from dtd.domain import Box, NonNegative, Real
from dtd.errors import InputError, check_number, check_parameter
from dtd.plans.rules.conditions import (
    Condition,
    margin_alphabeta,
    margin_flat,
    margin_gamma,
    margin_lrp0,
    margin_zbox,
    margin_zplus,
)
from dtd.plans.rules.rule import Choice, Rule, parameters_of
from dtd.root import Bias, Mix, Ray


def damped(epsilon: Any = 1e-6, bias: Bias = "fixed") -> Ray:
    """LRP-ε: the ray to the origin, stopped early."""
    return Ray(direction.Activations(), bias, epsilon)


def positive_contributions(bias: Bias = "fixed") -> Ray:
    """z⁺ for signed inputs: the ray along the positive contributions."""
    return Ray(direction.Contributions(1), bias)


def two_roots(alpha: float = 2.0, beta: float | None = None, bias: Bias = "fixed") -> Mix:
    """αβ: α times the expansion at the z⁺ root, −β times that at the z⁻ root, which lies behind an active unit.

    ``beta`` left out is α − 1. Raises :class:`InputError` unless ``α − β = 1``.
    """
    check_number("alpha", alpha)
    beta = alpha - 1 if beta is None else beta
    check_number("beta", beta)
    check_parameter(abs(alpha - beta - 1) < 1e-12, "alpha - beta", "1", alpha - beta)
    plus, minus = (Ray(direction.Contributions(sign), bias, line=sign < 0) for sign in (1, -1))
    return Mix(((alpha, plus), (-beta, minus)) if beta else ((alpha, plus),))


RULES = (
    Rule(
        name="lrp0",
        alias="LRP-0",
        roots=direction.Activations,
        formula=lrp.LRPZero,
        along="`a_j`",
        condition=Condition(NonNegative, "`b ≤ 0`", margin_lrp0),
        reference="Bach 2015, Eq. 56; Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        name="epsilon",
        alias="LRP-ε",
        roots=damped,
        formula=lrp.LRPEpsilon,
        along="`a_j`, stopped early",
        condition=Condition(NonNegative, "no root: `ε/(z + ε) R` stays at the point (bias neuron)"),
        reference="Bach 2015, Eq. 58; Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        name="gamma",
        alias="LRP-γ",
        roots=direction.Gamma,
        formula=lrp.LRPGamma,
        along="`a_j (1 + γ 1[w_j > 0])`",
        condition=Condition(NonNegative, "`b ≤ γ Σ⁻/(1 + γ)`", margin_gamma),
        reference="Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        name="gamma_signed",
        alias="γ signed",
        roots=direction.SignedGamma,
        formula=lrp.LRPSignedGamma,
        along="`a_j (1 + γ 1[a_j w_j z > 0])`",
        condition=Condition(Real, "wherever there is one (`w·v > 0`)"),
        reference="Andéol 2021, App. A.2",
    ),
    Rule(
        name="zplus",
        alias="`z⁺`",
        roots=direction.ZPlus,
        formula=lrp.LRPZPlus,
        along="`a_j 1[w_j > 0]`",
        condition=Condition(NonNegative, "`b ≤ Σ⁻`", margin_zplus),
        reference="Montavon 2017, Sec. 4.2",
    ),
    Rule(
        name="zplus_signed",
        alias="`z⁺` signed",
        roots=positive_contributions,
        formula=lrp.LRPSignedZPlus,
        along="`a_j 1[a_j w_j > 0]`",
        condition=Condition(Real, "wherever there is one (some `a_j w_j > 0`); between `a` and 0 iff `b ≤ Σ⁻`"),
        reference="Bach 2015, Eq. 60 (`α = 1`, `β = 0`)",
    ),
    Rule(
        name="alphabeta",
        alias="αβ",
        roots=two_roots,
        formula=lrp.LRPAlphaBeta,
        along="`α` times the root along `a_j 1[a_j w_j > 0]` minus `β` times that along `a_j 1[a_j w_j < 0]`",
        condition=Condition(NonNegative, "`α z ≤ Σ⁺` and `β z ≤ Σ⁻`", margin_alphabeta),
        reference="Bach 2015, Eq. 60; Montavon 2019, Table 10.1",
    ),
    Rule(
        name="wsquare",
        alias="`w²`",
        roots=direction.Weights,
        formula=lrp.LRPWSquare,
        along="`w_j`",
        condition=Condition(Real, "always (some `w_j ≠ 0`); the nearest root"),
        reference="Montavon 2017, Sec. 4.1",
    ),
    Rule(
        name="zbox",
        alias="`z^B`",
        roots=direction.ToBox,
        formula=lrp.LRPZBox,
        along="`a_j - l_j 1[w_j > 0] - h_j 1[w_j < 0]`",
        condition=Condition(Box, "`b + Σ_j (l_j w_j⁺ + h_j w_j⁻) ≤ 0`: the box holds a root", margin_zbox),
        reference="Montavon 2017, Sec. 4.2",
    ),
    Rule(
        name="flat",
        alias="flat",
        roots=direction.Flat,
        formula=lrp.LRPFlat,
        along="`1/w_j` where `w_j ≠ 0`",
        condition=Condition(NonNegative, "`z ≤ J a_j w_j` where `w_j > 0`, of `J` inputs with `w_j ≠ 0`", margin_flat),
        reference="Lapuschkin 2019, Methods; Montavon 2019, Table 10.1",
    ),
    Rule(
        name="pattern",
        alias="pattern",
        roots=direction.Pattern,
        formula=lrp.LRPPattern,
        along="`p_j`, from data",
        condition=Condition(Real, "wherever there is one (`w·p > 0`)"),
        reference="Kindermans 2018, Sec. 4",
    ),
)

catalogue: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
assert len(catalogue) == len(RULES), "rule names must be unique"
assert all(parameters_of(rule.roots) == rule.parameters for rule in RULES), "both sides take the same parameters"


def choose(name: str, bias: Bias = "fixed", **parameters: Any) -> Choice:
    """A rule of the catalogue by its name, for a :class:`dtd.Plan`.

    ``bias`` says whether the bias stays where it is (``fixed``), moves along as an input that takes a share (``neuron``) or
    hands that share evenly to the inputs (``distribute``). A parameter that is a mapping gives each layer its own value, by
    the layer's name. ``choose("flat")`` counts the inputs with ``w ≠ 0`` only, derived and explicit alike;
    :class:`dtd.lrp.LRPFlatAll` counts all.

    Raises :class:`InputError` for a name that the catalogue lacks, for a parameter that the rule does not have or lacks, and
    for a value that it cannot have (γ < 0, ε < 0, α − β ≠ 1, what is no number), before any layer is bound.

    At ``a = (1, 1)`` the unit ``3 a_1 − 2 a_2`` is worth 1; with γ = 1 its terms are ``(6, −2) / 4``:

    >>> import dtd, torch
    >>> unit, a = torch.nn.Linear(2, 1, bias=False).double(), torch.ones(1, 2).double()
    >>> unit.weight.data[:] = torch.tensor([3.0, -2.0])
    >>> plan = dtd.Plan([("*", dtd.rules.choose("gamma", gamma=1.0))])
    >>> dtd.explain(dtd.trace(unit, a), a, 0, plan).relevance.tolist()
    [[1.5, -0.5]]
    """
    if not isinstance(name, str) or name not in catalogue:
        raise InputError(
            f"No rule '{name if isinstance(name, str) else type(name).__name__}'; the catalogue has {', '.join(catalogue)}."
        )
    return Choice(catalogue[name], bias, tuple(sorted(parameters.items())))
