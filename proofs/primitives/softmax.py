"""Softmax, linearised at the data point: ``R_j = x_j (R_j − s_j Σ R)``, and what that leaves over."""

from collections.abc import Iterator

import sympy
from torch import nn

from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.sums import Tensors, tensors
from proofs.tensors import explained

X, UPPER = several("x", 3), several("R", 3)
POINT = several("p", 3, positive=True)  # points are x = log p, where softmax is rational
OTHERS = sympy.Symbol("T", nonnegative=True)  # Σ e^{x_i} of any number of further inputs
THEIRS = sympy.Symbol("Q", real=True)  # and Σ R_i of their outputs


def softmax(x, others):
    """``s_k = e^{x_k} / Σ_l e^{x_l}``; the last entry is that of any further input, up to its own ``e^{x_i}``."""
    total = sum(map(sympy.exp, x)) + others
    return [*(sympy.exp(value) / total for value in x), 1 / total]


def negated(x, others):
    """The softmax of −x."""
    return softmax([-value for value in x], others)


def unnormalised(x, others):
    """The exponential without the sum."""
    return [*map(sympy.exp, x), sympy.S.One]


def tangents(function, x, upper, others):
    """``R_k / s_k ∂s_k/∂x_j x_j``: terms of the tangent ``R_k s_k(·)/s_k(x)`` at x, from x to 0. # shape: (K, J)"""
    return [[r / y * sympy.diff(y, x_j) * x_j for x_j in x] for r, y in zip(upper, function(x, others), strict=True)]


def steps(values, function) -> Iterator[Step]:
    if isinstance(values, Tensors):
        yield from values.steps(function)
        return
    logs = {x: sympy.log(p) for x, p in zip(X, POINT, strict=True)}

    def at(e):
        return put(values, sympy.sympify(e).subs(logs)) if values else e

    s, y = softmax(X, OTHERS), function(X, OTHERS)
    for j, x in enumerate(X):
        slope = s[0] * (sympy.Integer(j == 0) - s[j])
        yield Step(f"∂s_1/∂x_{j + 1}", at(sympy.diff(y[0], x)), at(slope), "the Jacobian `s_k (1[k = j] - s_j)`")
    rows = tangents(function, X, (*UPPER, THEIRS), OTHERS)
    for j, x in enumerate(X):
        claimed = x * (UPPER[j] - s[j] * (sum(UPPER) + THEIRS))
        why = "terms of the tangents at `x`; `T`, `Q`: any number of further inputs"
        yield Step(f"R_{j + 1}", at(sum(row[j] for row in rows)), at(claimed), why)
    alone = softmax(X, sympy.S.Zero)
    handed = sum(map(sum, tangents(function, X, (*UPPER, sympy.S.Zero), sympy.S.Zero)))
    left = sum(UPPER) - sum(x * (r - y_k * sum(UPPER)) for x, r, y_k in zip(X, UPPER, alone, strict=False))
    why = "three inputs alone: what the tangents are worth at 0, a residual that is reported"
    yield Step("zeroth", at(sum(UPPER) - handed), at(left), why)


def cases() -> Iterator[Case]:
    yield from at_points((*UPPER, *POINT, OTHERS, THEIRS), "any number of entries", points=8)
    found = lambda: explained(nn.Softmax(-1), [[3, 3]], [[4, 8]])  # noqa: E731 - s = 1/2 is exact
    yield tensors(found, [[-6, 6]], "softmax, traced and explained: `3 (4 - 12/2)` and `3 (8 - 12/2)`")


proof = Proof(
    name="softmax",
    claim="Linearised at `x`, softmax hands `x_j (R_j - s_j Σ_k R_k)` to `x_j`; the rest stays as a residual.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("the softmax of `-x`", negated),
        Mutant("the exponential without the sum: the term `s_j Σ_k R_k` is lost", unnormalised),
    ),
    reference="Achtibat 2024, on the softmax",
    subject=softmax,
    cases=cases,
)
