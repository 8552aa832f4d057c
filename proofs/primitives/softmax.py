"""Softmax, linearised at the data point (AttnLRP, Proposition 3.1): ``R_j = x_j (R_j − s_j Σ R)``, and what that leaves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from torch import Tensor, nn

from dtd.primitive import Softmax
from dtd.propagation import Layer, Propagated, Propagation, per_sample
from dtd.relevance import SoftmaxTangent
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.passed import Letters, Shipped, accounted, layer, shipped
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


@dataclass(frozen=True)
class Subject:
    """Softmax, and the shipped propagation."""

    function: Callable = softmax
    model: Propagation = SoftmaxTangent()  # noqa: RUF009 - frozen


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    """The shipped propagation, with ``p_j = e^{x_j}``."""
    x, p, relevance = at.each("x"), at.each("p", positive=True), at.each("R")
    s = p / p.sum(-1, keepdim=True)
    found = subject.model.backward(layer(Softmax(-1)), (x, s), relevance)
    claimed = x * (relevance - s * relevance.sum(-1, keepdim=True))
    yield Step("R_j", found.relevance[0], claimed, "the shipped propagation, `s_j = p_j/Σ_i p_i` with `p_i = e^{x_i}`")
    yield from accounted(found, relevance, zeroth=per_sample(relevance) - per_sample(claimed))


def steps(values, subject: Subject) -> Iterator[Step]:
    if isinstance(values, (Tensors, Shipped)):
        yield from values.steps(subject)
        return
    function = subject.function
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


def conditions(values) -> tuple:
    return values.conditions() if isinstance(values, (Tensors, Shipped)) else ()


class Unnormalised(SoftmaxTangent):
    """The sum in softmax is held: the term ``s_j Σ_k R_k`` is lost."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        return found._replace(relevance=(saved[0] * relevance,))


def cases() -> Iterator[Case]:
    yield from shipped(run, what="shipped,")
    yield from at_points((*UPPER, *POINT, OTHERS, THEIRS), "any number of entries", points=8)
    found = lambda: explained(nn.Softmax(-1), [[3, 3]], [[4, 8]])  # noqa: E731 - s = 1/2 is exact
    yield tensors(found, [[-6, 6]], "softmax, traced and explained: `3 (4 - 12/2)` and `3 (8 - 12/2)`")


proof = Proof(
    name="softmax",
    claim="AttnLRP's Proposition 3.1: linearised at `x`, softmax hands `x_j (R_j - s_j Σ_k R_k)` to `x_j`; the rest, what "
    "the tangents are worth at 0, stays and is reported.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the softmax of `-x`", Subject(function=negated)),
        Mutant("the exponential without the sum: the term `s_j Σ_k R_k` is lost", Subject(function=unnormalised)),
        Mutant("shipped, with the sum held", Subject(model=Unnormalised())),
    ),
    reference="Achtibat 2024, Proposition 3.1",
    subject=Subject(),
    cases=cases,
)
