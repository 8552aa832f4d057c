"""For signed inputs the root of z⁺ lies between the data point and the origin exactly where ``b <= Σ⁻``."""

from collections.abc import Iterator
from dataclasses import replace

from dtd.algebra import negative, positive, step
from dtd.domain import Real
from dtd.plans.rules import Condition, Rule, catalogue
from dtd.plans.rules.conditions import margin_lrp0, margin_zplus
from proofs.judge import Step
from proofs.layers import Family, Setting, real
from proofs.roots.equivalence import Region, RootProof, ray_regions
from proofs.roots.points import rule_points
from proofs.rules.derivation import derived_as
from proofs.rules.zplus_signed import direction

UP, DOWN = real("a_j", nonnegative=True), -real("a_j", nonnegative=True)
OVER, UNDER = real("a_j", positive=True), -real("a_j", positive=True)


def between(at: Setting) -> Setting:
    """The setting with the box between each input and 0."""
    return replace(at, parameters={"low": negative(at.input), "high": positive(at.input)})


def typed(margins) -> Rule:
    """The catalogue's rule with the condition of its text, the box being that between the input and 0."""
    rule = catalogue["zplus_signed"]
    condition = Condition(Real, "between a and 0 iff b <= Σ⁻", lambda units, low, high: margins(units))
    return replace(rule, roots=lambda bias, low, high: rule.derived(bias=bias), condition=condition)


def identities(at, margins):
    (margin,), v = margins, direction(at)[0]
    n = at.total(at.w * v)
    yield Step("n", n, at.z - margin, "`n = Σ⁺`; so `0 < t = z/n ≤ 1` iff the margin `b - Σ⁻` is `≤ 0`")
    left = n[..., None] * at.a - at.z[..., None] * v
    right = n[..., None] * (1 - step(at.a * at.w)) * at.a - margin[..., None] * v
    yield Step("n ã_j", left, right, "with `ã = a - t v`: an input with `a_j w_j > 0` goes the way `t` to the origin")


def regions(at: Setting) -> Iterator[Region]:
    entry = at.input.item()
    inside = {f"{sign}, a_j {side} 0": {entry: a} for sign in ("w_j > 0", "w_j < 0", "w_j = 0") for side, a in
              (("≥", UP), ("≤", DOWN))}  # fmt: skip
    leaving = {"w_j > 0, a_j > 0": {entry: OVER}, "w_j < 0, a_j < 0": {entry: UNDER}}
    for region in ray_regions("zplus", direction)(replace(at, parameters={})):
        entries = leaving if region.title == "margin > 0, n > 0" else inside
        yield replace(region, seen=tuple(entries), entries=entries)


def points() -> Iterator[tuple[str, Setting]]:
    for title, at in rule_points("zplus", lambda draw: {}, signed=True):
        yield title, between(replace(at, domain=Real()))


proof = RootProof(
    rule="zplus_signed",
    claim="For an active unit with inputs of either sign the root of `z⁺` lies between `a` and the origin iff `b ≤ Σ⁻`.",
    setting=lambda: between(Family(Real()).generic("fixed")),
    regions=regions,
    points=points,
    identities=identities,
    mutants=(
        ("the condition of LRP-0", typed(margin_lrp0)),
        (
            "the direction of LRP-0",
            replace(
                typed(margin_zplus), roots=lambda bias, low, high: derived_as("zplus_signed", "lrp0").derived(bias=bias)
            ),
        ),
    ),
    subject=typed(margin_zplus),
    reference="Bach 2015, Eq. 60 (`α = 1`, `β = 0`)",
    note="The condition is that of the catalogue's text, typed here.",
).build()
