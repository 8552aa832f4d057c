"""The root of z⁺ is in ``a >= 0`` exactly where ``b <= Σ⁻``."""

from dataclasses import replace

from dtd.algebra import negative, step
from dtd.plans.rules import catalogue
from dtd.plans.rules.conditions import margin_lrp0
from proofs.judge import Step
from proofs.layers import Family
from proofs.roots.equivalence import RootProof, ray_regions
from proofs.roots.points import rule_points
from proofs.rules.derivation import derived_as
from proofs.rules.zplus import direction


def identities(at, margins):
    (margin,), v = margins, direction(at)[0]
    n, z = at.total(at.w * v), at.z
    yield Step("margin", margin, at.b + at.total(negative(at.a * at.w)), "the shipped condition is `b ≤ Σ⁻`")
    yield Step("n", n, z - margin, "`n = Σ⁺ > 0` where the condition holds, and the root is ahead")
    left = n[..., None] * at.a - z[..., None] * v
    right = (n * 1)[..., None] * (1 - step(at.w)) * at.a - margin[..., None] * step(at.w) * at.a
    yield Step("n ã_j", left, right, "with `ã = a - (z/n) v`: -margin where `w_j > 0`; the other inputs stay")


rule = catalogue["zplus"]
proof = RootProof(
    rule="zplus",
    claim="For an active unit with `a ≥ 0` the root of `z⁺` lies in `a ≥ 0` iff `b ≤ Σ⁻`.",
    setting=lambda: Family().generic("fixed"),
    regions=ray_regions("zplus", direction),
    points=lambda: rule_points("zplus", lambda draw: {}),
    identities=identities,
    mutants=(
        ("the condition of LRP-0", replace(rule, condition=replace(rule.condition, margins=margin_lrp0))),
        ("the direction of LRP-0", derived_as("zplus", "lrp0")),
    ),
    reference="Montavon 2017, Sec. 4.2 (there `b ≤ 0`)",
).build()
