"""The root of LRP-γ is in ``a >= 0`` exactly where ``b <= γ Σ⁻ / (1 + γ)``."""

from dataclasses import replace
from fractions import Fraction

from dtd.algebra import negative, step
from dtd.plans.rules import catalogue
from dtd.plans.rules.conditions import contributions, margin_zplus
from proofs.judge import Step
from proofs.layers import Family
from proofs.roots.equivalence import RootProof, ray_regions
from proofs.roots.points import rule_points
from proofs.rules.derivation import derived_as
from proofs.rules.gamma import direction, parameters


def identities(at, margins):
    (margin,), gamma = margins, at.parameters["gamma"]
    v = direction(at)[0]
    n, z = at.total(at.w * v), at.z
    minus = -at.total(negative(at.a * at.w))
    yield Step("margin", margin, at.b - gamma * minus / (1 + gamma), "the shipped condition is `b ≤ γ Σ⁻/(1 + γ)`")
    yield Step("n", n, (1 + gamma) * (z - margin), "so `n > 0` where the condition holds, and the root is ahead")
    less = gamma * z[..., None] * (1 - step(at.w)) * at.a
    why = "with `ã = a - (z/n) v`: where `w_j > 0` the sign is that of -margin, elsewhere the root moves less"
    yield Step("n ã_j", n[..., None] * at.a - z[..., None] * v, less - (1 + gamma) * margin[..., None] * at.a, why)


def half(units, gamma):
    """Σ⁻ without the factor 1/(1 + γ)."""
    return (units.bias - gamma * contributions(units)[1],)


rule = catalogue["gamma"]
proof = RootProof(
    rule="gamma",
    claim="For an active unit with `a ≥ 0` the root of LRP-γ lies in `a ≥ 0` iff `b ≤ γ Σ⁻/(1 + γ)`.",
    setting=lambda: Family(parameters=parameters).generic("fixed"),
    regions=ray_regions("gamma", direction),
    points=lambda: rule_points("gamma", lambda draw: {"gamma": Fraction(draw.randint(0, 6), 3)}),
    identities=identities,
    mutants=(
        ("`b ≤ γ Σ⁻`", replace(rule, condition=replace(rule.condition, margins=half))),
        (
            "the condition of `z⁺`",
            replace(rule, condition=replace(rule.condition, margins=lambda u, gamma: margin_zplus(u))),
        ),
        ("the direction of LRP-0", derived_as("gamma", "lrp0")),
    ),
    reference="Montavon 2019, Sec. 10.2.3",
).build()
