"""z^B has its root in the box exactly where the box holds a root at all: ``b + Σ (l w⁺ + h w⁻) <= 0``."""

from dataclasses import replace

from dtd.algebra import negative, positive, step
from dtd.domain import Real
from dtd.plans.rules import catalogue
from proofs.judge import Step
from proofs.layers import Family, indexed, real
from proofs.reduce import Reduction
from proofs.roots.equivalence import MARGIN, SIZE, SLACK, Region, RootProof, Z
from proofs.roots.margins import margins_of
from proofs.roots.points import box_points
from proofs.rules.derivation import with_direction
from proofs.rules.zbox import OneCorner, Swapped, bounds, direction, parameters

DOWN, UP = real("d", nonnegative=True), real("e", nonnegative=True)  # a − l and h − a
LOW = real("l_j")
Y = indexed("y")


def identities(at, margins):
    (margin,), (low, high) = margins, bounds(at)
    lowest = low * positive(at.w) + high * negative(at.w)
    yield Step("margin", margin, at.b + at.total(lowest), "the shipped condition is `b + Σ_i (l_i w_i⁺ + h_i w_i⁻) ≤ 0`")
    corner = low * step(at.w) + high * step(-at.w)
    yield Step("z(corner)", at.total(at.w * corner) + at.b, margin, "the margin is the unit's value in its lowest corner")
    y = Y + 0 * at.a
    above = at.total((y - low) * positive(at.w)) + at.total((y - high) * negative(at.w))
    why = "both sums are `≥ 0` for `l ≤ y ≤ h`: no point `y` is lower, so the box holds a root iff the margin is `≤ 0`"
    yield Step("z(y) - margin", at.total(at.w * y) + at.b - margin, above, why)
    yield Step(
        "n", at.total(at.w * direction(at)[0]), at.z - margin, "`t = z/n ≤ 1` iff the margin is `≤ 0`: before the corner"
    )


def regions(at):
    plain, where = Reduction(), {}
    names = {"sum_aw": at.a * at.w, "sum_lw+": at.a * 0 + bounds_of(at, 0) * positive(at.w)}
    names |= {"sum_hw": bounds_of(at, 1) * at.w, "sum_hw+": bounds_of(at, 1) * positive(at.w)}
    sums = {name: plain.normal(at.total(terms).item()) for name, terms in names.items()}
    low, high, high_up = (real(name) for name in ("L", "H", "H_plus"))
    where = {sums["sum_lw+"]: low, sums["sum_hw"]: high, sums["sum_hw+"]: high_up}
    floor = low + high - high_up  # Σ (l w⁺ + h w⁻)

    def region(title, inside, margin, z, seen, entries):
        """The bias that puts the margin where the region wants it; ``Σ a w = z − b``."""
        bias = margin - floor
        return Region(title, inside, z, {**where, at.b.item(): bias, sums["sum_aw"]: z - bias}, seen, entries)

    inside, leaving = placed(at, DOWN, UP), placed(at, real("d", positive=True), real("e", positive=True))
    ahead = ("w_j > 0", "w_j < 0")
    yield region("margin <= 0", True, -SLACK, Z, tuple(inside), inside)
    yield region("margin > 0, n > 0", False, MARGIN, MARGIN + SIZE, ahead, leaving)
    yield region("n = 0", False, Z, Z, ahead, leaving)


def bounds_of(at, side):
    """One of the bounds along the receptive fields."""
    return tuple(bounds(at))[side]


def placed(at, down, up):
    """An input inside its interval; where its weight is 0, the root leaves it where it is."""
    a, low, high = at.input.item(), at.parameters["low"].item(), at.parameters["high"].item()
    weighted = {a: LOW + down, low: LOW, high: LOW + down + up}
    return {"w_j > 0": weighted, "w_j < 0": weighted, "w_j = 0": weighted}


def without_bias(units, low, high):
    """The bias left out."""
    return (margins_of(rule, units, low, high)[0] - units.bias,)


def exchanged(units, low, high):
    """l and h exchanged: the unit's value in its highest corner."""
    return margins_of(rule, units, high, low)


rule = catalogue["zbox"]
proof = RootProof(
    rule="zbox",
    claim="For an active unit with inputs in a box, the root of `z^B` lies in the box iff the box holds a root at all, "
    "iff `b + Σ_j (l_j w_j⁺ + h_j w_j⁻) ≤ 0`.",
    setting=lambda: Family(Real(), parameters).generic("fixed"),
    regions=regions,
    points=box_points,
    identities=identities,
    mutants=(
        ("the bias left out of the condition", replace(rule, condition=replace(rule.condition, margins=without_bias))),
        ("`l` and `h` exchanged in the condition", replace(rule, condition=replace(rule.condition, margins=exchanged))),
        ("direction with `l` and `h` exchanged", with_direction("zbox", Swapped)),
        ("direction to the lower corner", with_direction("zbox", OneCorner)),
    ),
    reference="Montavon 2017, Sec. 4.2",
    assumes=("`l_j ≤ a_j ≤ h_j`",),
).build()
