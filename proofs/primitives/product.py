"""A product of two signals: ½/½ is the average of two valid roots, and signal-takes-all is one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy

import dtd
from dtd import where
from dtd.relevance import ProductShares
from proofs.entries import unchecked
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put
from proofs.primitives.passed import Letters, Shipped, accounted, layer, shipped
from proofs.primitives.sums import Tensors, tensors
from proofs.taylor import expansion
from proofs.tensors import Function, explained

A, B, A0, B0, R = sympy.symbols("a b a_0 b_0 R", real=True)
MODEL = R * A * B / (A0 * B0)  # R̂(a, b), equal to R at the data point
AT = {A: A0, B: B0}
ROOTS = ((sympy.Rational(1, 2), (sympy.S.Zero, B0)), (sympy.Rational(1, 2), (A0, sympy.S.Zero)))


@dataclass(frozen=True)
class Subject:
    """The roots with their weights, and the shipped propagation for a share q."""

    roots: tuple = ROOTS
    model: Callable = lambda q: unchecked(ProductShares, share=q)


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    """The shipped propagation, for any share."""
    q, relevance = at.one("q"), at.each("R")
    found = subject.model(q).backward(layer(), None, relevance)
    yield Step("R_a", found.relevance[0], q * relevance, "shipped, with a share `q`")
    yield Step("R_b", found.relevance[1], (1 - q) * relevance, "and the rest")
    yield from accounted(found, relevance)


def conditions(values):
    if isinstance(values, (Tensors, Shipped)):
        return values.conditions()
    return (never_zero(put(values, A0), "`a ≠ 0`"), never_zero(put(values, B0), "`b ≠ 0`"))


def steps(values, subject: Subject) -> Iterator[Step]:
    if isinstance(values, (Tensors, Shipped)):
        yield from values.steps(subject)
        return
    roots = subject.roots

    def at(e):
        return put(values, sympy.sympify(e).subs(AT))

    total = [0, 0, 0, 0]
    for number, (weight, root) in enumerate(roots, 1):
        found = expansion(MODEL, (A, B), root)
        yield Step(f"R̂(root {number})", at(found.zeroth), 0, "the model vanishes there: one factor is 0")
        yield Step(f"remainder {number}", at(found.remainder), 0, "on that line the model is linear")
        parts = (*found.first, found.zeroth, found.remainder)
        total = [sum_ + weight * part for sum_, part in zip(total, parts, strict=True)]
    gate = expansion(MODEL, (A, B), roots[0][1])
    yield Step("R_a (root 1)", at(gate.first[0]), at(R), "at the root `(0, b)` the signal `a` takes all")
    yield Step("R_b (root 1)", at(gate.first[1]), 0, "and the gate nothing, since it does not move")
    yield Step("R_a", at(total[0]), at(R / 2), "the average of both expansions")
    yield Step("R_b", at(total[1]), at(R / 2), "gives half to each factor")
    yield Step("R_a + R_b", at(total[0] + total[1]), at(R), "conservation")


def cases() -> Iterator[Case]:
    yield from at_points((A0, B0, R), "one product", points=10)
    yield from shipped(run, what="shipped,")
    x, relevance = [[3, -1, 2, 5]], [[8, 6]]
    gate = Function(lambda x: x[:, :2] * x[:, 2:])
    yield tensors(lambda: explained(gate, x, relevance), [[4, 3, 4, 3]], "a gate, traced and explained: half to each")
    first = dtd.Plan([(where.kind("product"), dtd.ProductShares(share=1.0))])
    yield tensors(lambda: explained(gate, x, relevance, first), [[8, 6, 0, 0]], "signal takes all")
    mixed = Function(lambda x: x[:, :, :2] @ x[:, 0, 2:, None])
    expected = [[[1, 3, 1, 3]]]
    yield tensors(lambda: explained(mixed, [[[1, 1, 1, 3]]], [[[8]]]), expected, "a sum of products under LRP-0, by halves")


half = sympy.Rational(1, 2)
proof = Proof(
    name="product",
    claim="AttnLRP's Proposition 3.2: for a product `a b`, `(0, b)` and `(a, 0)` are roots without zeroth term or "
    "remainder; the first gives all to `a` (signal takes all), their average gives half to each, and any mix `q`, `1 - q`.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the root `(0, 0)`", Subject(((half, (sympy.S.Zero, sympy.S.Zero)), ROOTS[1]))),
        Mutant(
            "the terms of both roots added, as gradient times input does",
            Subject(((sympy.S.One, ROOTS[0][1]), (sympy.S.One, ROOTS[1][1]))),
        ),
        Mutant("expansion at half the signal", Subject(((half, (A0 / 2, B0)), ROOTS[1]))),
        Mutant("shipped, the shares swapped", Subject(model=lambda q: unchecked(ProductShares, share=1 - q))),
    ),
    reference="Achtibat 2024, Proposition 3.2 (uniform rule); Arras 2017 (signal takes all)",
    subject=Subject(),
    cases=cases,
)
