"""The way from the root (0, 0) of a product: nothing in one first-order step, half to each factor in infinitely many."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import sympy

import dtd
from dtd import where
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put
from proofs.primitives.sums import Tensors, tensors
from proofs.tensors import Function, explained

A, B, A0, B0, R = sympy.symbols("a b a_0 b_0 R", real=True)
MORE, I = sympy.Symbol("M", integer=True, nonnegative=True), sympy.Symbol("i", integer=True)  # noqa: E741
N = MORE + 1  # steps
MODEL = R * A * B / (A0 * B0)


def begin(i):
    """The slope of a step is that where it begins: a Taylor step."""
    return i


def end(i):
    """The slope where the step ends."""
    return i + 1


def middle(i):
    """The slope in the middle, which is no Taylor step."""
    return i + sympy.Rational(1, 2)


def conditions(values):
    if isinstance(values, Tensors):
        return values.conditions()
    return (never_zero(put(values, A0), "`a ≠ 0`"), never_zero(put(values, B0), "`b ≠ 0`"))


def steps(values, place: Callable) -> Iterator[Step]:
    if isinstance(values, Tensors):
        yield from values.steps(place)
        return

    def at(e):
        return put(values, sympy.simplify(e))

    def walked(variable, size, number):
        share = place(I) / number
        slope = sympy.diff(MODEL, variable).subs({A: share * A0, B: share * B0}, simultaneous=True)
        return sympy.summation(slope * size / number, (I, 0, number - 1))

    one = [sympy.diff(MODEL, x).subs({A: 0, B: 0}, simultaneous=True) for x in (A, B)]
    yield Step("∂R̂/∂a + ∂R̂/∂b at (0, 0)", at(sum(one)), 0, "at the root `(0, 0)` one first-order step hands down nothing")
    a, b = walked(A, A0, N), walked(B, B0, N)
    yield Step("R_a", at(a), at(R * (N - 1) / (2 * N)), "N steps along the way from `(0, 0)`")
    yield Step("R_b", at(b), at(R * (N - 1) / (2 * N)), "the same for the other factor")
    yield Step(
        "remainder", at(R - a - b), at(R / N), "it falls as 1/N; what is left is the average of the roots `(0,b)`, `(a,0)`"
    )
    curve = sympy.diff(MODEL, A, B) * A0 * B0 / 2
    yield Step("a ∂²R̂/∂a∂b b / 2", at(curve), at(R / 2), "one step of second order hands half to each at once")


def generic(**options) -> dtd.Plan:
    """The shipped generic model for products, from the reference (0, 0)."""
    return dtd.Plan([(where.kind("product"), dtd.Generic(at="reference", **options))])


def cases() -> Iterator[Case]:
    yield from at_points((A0, B0, R, MORE), "one product", points=8)
    gate, x, relevance = Function(lambda x: x[:, :2] * x[:, 2:]), [[2, -1, 4, 2]], [[8, 16]]
    four = [[3, 6, 3, 6]]
    yield tensors(lambda: explained(gate, x, relevance, generic(steps=4)), four, "shipped, four steps: `(1 - 1/4)/2`")
    half = [[Fraction(4), 8, 4, 8]]
    yield tensors(lambda: explained(gate, x, relevance, generic(order=2)), half, "shipped, one step of second order: halves")


proof = Proof(
    name="product_path",
    claim="From the root `(0, 0)` of a product, N first-order steps hand `(1 - 1/N)/2` to each factor and leave `R/N`; "
    "infinitely many, or one step of second order, hand half to each.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("slopes where a step ends", end),
        Mutant("slopes in the middle of a step", middle),
    ),
    reference="Sundararajan 2017 (the path integral)",
    subject=begin,
    cases=cases,
    note="`N = M + 1` steps.",
)
