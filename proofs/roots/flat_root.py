"""The formal root of the flat rule: in ``a >= 0`` only where every input of positive weight carries ``z/J``."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

from dtd.algebra import step
from dtd.lrp import LRPFlatAll
from dtd.plans.rules import catalogue
from dtd.relevance import Linear
from proofs.judge import Step
from proofs.layers import Family
from proofs.roots.equivalence import MARGIN, SIGNS, SIZE, SLACK, Region, RootProof, Z
from proofs.roots.points import SIZES, active, titled, unit
from proofs.rules.derivation import derived_as
from proofs.units import J


def single(units):
    """``z <= a_j w_j``."""
    return (step(units.weights) * (units.z[..., None] - units.activations * units.weights),)


def identities(at, found):
    count = at.total(at.w / at.w + 0 * at.a)
    yield Step("n", count, J + 0 * at.z, "`w·v` counts the inputs")
    left = J * at.w * at.a - at.z[..., None]
    yield Step("J w_j ã_j", J * at.w * (at.a - at.z[..., None] / (J * at.w)), left, "with `ã_j = a_j - z/(J w_j)`")
    other = unit([Fraction(1), Fraction(1)], [Fraction(0), Fraction(1)], Fraction(0), {})
    lower, _ = LRPFlatAll().propagate(other.map, other.input, other.relevance, other.domain)
    first = Linear(catalogue["flat"].derived()).terms(other.units, other.domain, other.relevance).first
    why = "at `w = (0, 1)`, `R = 1` the form that counts all inputs gives `(1/2, 1/2)`, the root gives `(0, 1)`"
    yield Step("R_1 - R_1←k", lower[0, 0] - first[0, 0, 0], Fraction(1, 2), why)


def regions(at):
    a, products = at.input.item(), at.total(at.a * at.w).item()

    def region(title, inside, sign, value=None, z=Z):
        entries = {} if value is None else {sign: {a: value}}
        return Region(title, inside, z, {at.b.item(): z - products}, (sign,), entries)

    up = J * SIGNS["w_j > 0"]
    yield region("J a_j w_j >= z", True, "w_j > 0", (Z + SLACK) / up)
    yield region("0 < J a_j w_j < z", False, "w_j > 0", SIZE / up, MARGIN + SIZE)
    yield region("a_j = 0", False, "w_j > 0", 0 * Z)
    yield region("w_j < 0", True, "w_j < 0")


def points():
    """Units with inputs >= 0 and weights of either sign, with the typed condition on both sides and on it."""
    for number, signs in enumerate(product((1, -1), repeat=3)):
        for level in range(8):
            draw = Random(f"flat {number} {level}")
            a = [draw.choice(SIZES) + level % 2 for _ in signs]
            w = [sign * draw.choice(SIZES) for sign in signs]
            least = min((3 * x * v for x, v in zip(a, w, strict=True) if v > 0), default=Fraction(1))
            z = least * Fraction(1 + level % 3, 2)
            at = unit(a, w, z - sum(x * v for x, v in zip(a, w, strict=True)), {})
            if active(at):
                yield titled(at), at


rule = catalogue["flat"]
proof = RootProof(
    rule="flat",
    claim="For an active unit with `a ≥ 0` and every `w_j ≠ 0` the formal root of the flat rule lies in `a ≥ 0` iff "
    "`z ≤ J a_j w_j` for every input with `w_j > 0`; one input `a_j = 0` with `w_j > 0` is enough for it to leave.",
    setting=lambda: Family(weights="+-").generic("fixed"),
    regions=regions,
    points=points,
    identities=identities,
    mutants=(
        ("the condition without `J`", replace(rule, condition=replace(rule.condition, margins=single))),
        ("the direction of `w²`", replace(rule, roots=derived_as("flat", "wsquare").roots)),
    ),
    reference="Montavon 2019, Table 10.1 (no DTD interpretation)",
).build()
