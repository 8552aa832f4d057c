"""Stability: where its roots lie in the domain, z⁺ is as steady in the input as the unit itself; LRP-0 is not steady."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import sympy

from dtd.algebra import positive
from dtd.plans.rules import catalogue
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.layers import INPUTS
from proofs.symbols import array
from proofs.units import FiniteMap

A = sympy.symbols("a1 a2", positive=True)
SIZES = sympy.symbols("w1 w2", positive=True)
B, T = sympy.Symbol("b", real=True), sympy.Symbol("t", positive=True)
R, SLACK = sympy.symbols("z s", positive=True)  # z > 0, and s = n - z = Σ⁻ - b


@dataclass(frozen=True)
class Subject:
    """The rule, and the constant that is claimed for it, as a part of ``max_i |w_i|``."""

    rule: str = "zplus"
    numbers: dict[str, Any] = field(default_factory=dict)
    constant: Any = 1

    def handed(self, a: Any, w: Any, b: Any) -> Any:
        """Relevance of the inputs of one unit whose relevance is z⁺. # shape: (J,)"""
        layer = FiniteMap(weight=array([w]), bias=array([b]), in_shape=(len(w),), out_shape=(1,))
        z = layer.apply(array([a]))
        explicit = catalogue[self.rule].explicit(**self.numbers)
        return explicit.propagate(layer, array([a]), positive(z), INPUTS)[0][0]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """An active unit of two inputs with weights of given signs, and ``0 ≤ z ≤ n = Σ⁺``: its root lies in ``a ≥ 0``."""

    signs: tuple[int, ...]

    def steps(self, subject: Subject) -> Iterator[Step]:
        w = [sign * size for sign, size in zip(self.signs, SIZES, strict=True)]
        n = sum(a * x for a, x, sign in zip(A, w, self.signs, strict=True) if sign > 0)
        level = n - SLACK - sum(a * x for a, x in zip(A, w, strict=True))  # so that z = n - s
        total = sum(a * x for a, x in zip(A, w, strict=True))
        handed = [each.subs(positive(total + B), total + B) for each in subject.handed(A, w, B)]
        for i, (a, weight) in enumerate(zip(A, w, strict=True)):
            slopes = [self.inside(sympy.diff(each, a).subs(B, level), n) for each in handed]
            for j, slope in enumerate(slopes):
                sign = sympy.sign(weight)
                yield Step(f"sign(w_{i + 1}) ∂R_{j + 1}/∂a_{i + 1}", sign * slope, 0, "no slope against the unit's", ">=")
            size = subject.constant * abs(weight)
            found = sum(sympy.sign(weight) * slope for slope in slopes)
            yield Step(
                f"Σ_j |∂R_j/∂a_{i + 1}|", found, size, "their sizes sum to the unit's own slope", reads=f"|w_{i + 1}|"
            )

    def inside(self, e: Any, n: Any) -> Any:
        """``s`` as a share of n: ``s = n s/(s + z)`` with any ``s, z > 0``, so that ``0 < s < n``."""
        return sympy.factor(sympy.simplify(e.subs(SLACK, n * SLACK / (SLACK + R))))


@dataclass(frozen=True, eq=False)
class Two:
    """Two inputs of one unit with ``b ≤ 0``, in exact numbers."""

    points: tuple[Any, ...]
    w: Any
    b: Any

    def steps(self, subject: Subject) -> Iterator[Step]:
        one, other = (subject.handed(a, self.w, self.b) for a in self.points)
        moved = sum(abs(x - y) for x, y in zip(*self.points, strict=True))
        most = subject.constant * max(map(abs, self.w)) * moved
        yield Step("Σ_j |R_j - R'_j|", sum(map(abs, one - other)), most, "for any two inputs: `b ≤ 0`", relation="<=")


@dataclass(frozen=True, eq=False)
class Poles:
    """Two units without a bound: LRP-0 at ``w = (1, -1)``, and z⁺ with a bias above Σ⁻."""

    t: Any

    def steps(self, subject: Subject) -> Iterator[Step]:
        t = self.t
        lrp0 = Subject("lrp0")
        far, near = (lrp0.handed([1, 1 - x], [1, -1], 1) for x in (t, t / 2))
        yield Step("R_1 of LRP-0", far[0], 1 + 1 / t, "`w = (1, -1)`, `b = 1`, `a = (1, 1 - t)`: contributions cancel")
        yield Step("R_1(t/2) - R_1(t)", near[0] - far[0], 1 / t, "the inputs differ by `t/2`")
        one, other = (Subject(subject.rule, subject.numbers).handed(a, [1, 1], 1) for a in ([t, 0], [0, t]))
        found = sum(abs(x) for x in one - other)
        yield Step("Σ_j |R_j - R'_j| with b = 1 > Σ⁻", found, 2 + 2 * t, "`a = (t, 0)` and `(0, t)`: no constant either")


def cases() -> Iterator[Case]:
    for seed in range(40):
        random = Random(seed)
        draw = lambda low: Fraction(random.randint(low, 6), random.choice((1, 2, 3)))  # noqa: B023, E731
        w, b = [draw(-6) for _ in range(3)], -abs(draw(-6))
        points = tuple([draw(0) for _ in range(3)] for _ in range(2))
        yield Case(f"a={points} w={w} b={b}", Two(points, w, b), point=True)
    for t in (Fraction(1), Fraction(1, 8), Fraction(1, 1000)):
        yield Case(f"t={t}", Poles(t), point=True)
    for signs in product((1, -1), repeat=2):
        if max(signs) > 0:
            title = "signs of the weights: " + " ".join("+" if sign > 0 else "-" for sign in signs)
            yield Case(title, Derivatives(signs), shown=signs == (1, -1), extent="two inputs")
    yield Case("poles", Poles(T), shown=True, extent="two inputs")


plain = Subject()
proof = Proof(
    name="stability",
    claim="Where the root of `z⁺` lies in `a ≥ 0` (`b ≤ Σ⁻`), each `∂R_j/∂a_i` has the sign of `w_i`, and their sizes sum "
    "to `|w_i|`: relevance of one unit moves by at most `max_i |w_i|` times the input, as z itself does, however small "
    "the denominator. LRP-0 has no such constant (`R_1 = 1 + 1/t` on a unit with weights 1 and -1 and bias 1), nor has "
    "`z⁺` with a bias above `Σ⁻`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=unconditional,
    mutants=(
        Mutant("LRP-0 in place of `z⁺`", Subject("lrp0")),
        Mutant("LRP-γ in place of `z⁺`", Subject("gamma", {"gamma": Fraction(1, 4)})),
        Mutant("half of the constant", Subject(constant=Fraction(1, 2))),
        Mutant("`w²` in place of `z⁺`", Subject("wsquare")),
    ),
    reference="Montavon 2017, Sec. 4.2 (the root of `z⁺` in the domain); own derivation",
    subject=plain,
    cases=cases,
    note="Relevance of the unit: `R = z⁺`. Points: three inputs, pairs anywhere in `a ≥ 0` with `b ≤ 0`.",
)
