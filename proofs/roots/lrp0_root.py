"""LRP-0's root is in ``a >= 0`` exactly where the bias is not positive."""

from dataclasses import replace

from dtd.plans.rules import catalogue
from dtd.plans.rules.conditions import margin_zplus
from proofs.judge import Step
from proofs.layers import Family
from proofs.roots.equivalence import RootProof, ray_regions
from proofs.roots.points import rule_points
from proofs.rules.derivation import derived_as
from proofs.rules.lrp0 import direction


def identities(at, margins):
    (margin,) = margins
    n, a = at.total(at.w * at.a), at.a
    yield Step("margin", margin, at.b + 0 * at.z, "the shipped condition is `b ≤ 0`")
    yield Step("n", n, at.z - margin, "so `n > 0` where the condition holds, and the root is ahead")
    yield Step("n ã_j", n[..., None] * a - at.z[..., None] * a, -margin[..., None] * a, "with `ã_j = a_j - (z/n) a_j`")


rule = catalogue["lrp0"]
proof = RootProof(
    rule="lrp0",
    claim="For an active unit with `a ≥ 0` the root of LRP-0 lies in `a ≥ 0` iff `b ≤ 0`.",
    setting=lambda: Family().generic("fixed"),
    regions=ray_regions("lrp0", direction),
    points=lambda: rule_points("lrp0", lambda draw: {}),
    identities=identities,
    mutants=(
        ("the condition of `z⁺`", replace(rule, condition=replace(rule.condition, margins=margin_zplus))),
        ("the opposite condition", replace(rule, condition=replace(rule.condition, margins=lambda units: (-units.bias,)))),
        ("the direction of `z⁺`", derived_as("lrp0", "zplus")),
    ),
    reference="Montavon 2019, Sec. 10.2.3; Montavon 2017, Sec. 4",
).build()
