"""Birkhoff's contraction: how much a layer of positive shares shrinks the ratio of two explanations."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy

from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.points import put

C, D, Q, S, T = (sympy.Symbol(name, positive=True) for name in ("c", "d", "q", "s", "t"))
B = sympy.Symbol("b", positive=True)


def contraction(q: Any) -> Any:
    """``tanh(ln(q²)/4) = (q − 1)/(q + 1)``, where q² is the cross ratio of the shares."""
    return (q - 1) / (q + 1)


def steps(values: Any, coefficient: Callable[[Any], Any]) -> Iterator[Step]:
    """Shares ``((a, b), (c, d))`` of two inputs in two units; ``a = q² b c/d`` gives them the cross ratio q²."""
    a = Q**2 * B * C / D
    ratio = (a * S + B) / (C * S + D)
    slope = sympy.diff(ratio, S) * S / ratio

    def given(e: Any) -> Any:
        return put(values, e)

    yield Step("ad/(bc)", given(a * D / (B * C)), given(Q**2), "the cross ratio")
    yield Step(
        "d ln s'/d ln s",
        given(slope),
        given(S * (a * D - B * C) / ((a * S + B) * (C * S + D))),
        "of `s' = (a s + b)/(c s + d)`",
    )
    gap = given(coefficient(Q) - slope) * given((Q + 1) * (a * S + B) * (C * S + D))
    square = (Q - 1) * B / D * (Q * C * S - D) ** 2
    yield Step("(τ - slope)(q + 1)(a s + b)(c s + d)", gap, given(square), "a square: not negative where `q ≥ 1`")
    best = D / (Q * C)
    yield Step("slope at s = d/(q c)", given(slope.subs(S, best)), given(contraction(Q)), "where the bound is attained")
    other = ratio.subs(S, T * S)
    up = given(sympy.together(other / ratio - 1))
    yield Step(
        "s'(t s)/s'(s) - 1", up, given((T - 1) * S * (a * D - B * C) / ((a * S + B) * (C * T * S + D))), "two explanations"
    )


def cases() -> Iterator[Case]:
    for n, numbers in enumerate(product((1, 2, Fraction(3, 2)), (1, Fraction(1, 3)), (2, 5), (Fraction(1, 2), 3))):
        b, c, q, s = map(sympy.Rational, numbers)
        values = {B: b, C: c, D: b + c + n % 3, Q: q, S: s, T: s + 1}
        yield Case(f"b={b} c={c} q={q} s={s}", values, point=True)
    yield Case("two inputs, two units", {}, shown=True, extent="two inputs")


proof = Proof(
    name="birkhoff",
    claim="Shares of two inputs in two units with cross ratio `q²` shrink the distance `d = |ln(s/t)|` of two explanations "
    "(ratios s and t of their entries) by at least `τ = (q - 1)/(q + 1)`, and by no better factor for all of them.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("`(q - 1)/(q + 2)`", lambda q: (q - 1) / (q + 2)),
        Mutant("`(q - 1)/q`", lambda q: (q - 1) / q),
        Mutant("the square", lambda q: ((q - 1) / (q + 1)) ** 2),
    ),
    reference="Birkhoff 1957; Sixt 2020, Sec. 4 (convergence to rank one)",
    subject=contraction,
    cases=cases,
    note="The distance between s and t is the integral of `d ln s`, so a bound on the slope is one on the factor. "
    "Birkhoff's theorem says the same for positive matrices of any size, with the largest cross ratio; that is measured "
    "here, not proved.",
)
