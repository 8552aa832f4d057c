"""A soft maximum, expanded at its root along ``1``: the shipped rule shares by softmax, for any number of entries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from torch import Tensor

from dtd.primitive import LogSumExp
from dtd.propagation import Layer, Propagated
from dtd.relevance import TakeMost
from proofs.entries import of
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.passed import Letters, Shipped, accounted, layer, shipped
from proofs.primitives.sums import Tensors, tensors
from proofs.tensors import Function, explained

A = several("a", 3)
POINT = several("p", 3, positive=True)  # points are a = log p, where softmax is rational
OTHERS = sympy.Symbol("T", positive=True)  # Σ e^{a_i} of any number of further entries
R, Y = sympy.Symbol("R", real=True), sympy.Symbol("y", positive=True)
Q = sympy.Symbol("q", positive=True)  # of a way t = log q


def maximum(a, others):
    """``log Σ_k e^{a_k}``."""
    return sympy.log(sum(map(sympy.exp, a)) + others)


@dataclass(frozen=True)
class Subject:
    """The shipped rule, and the way to its root."""

    model: TakeMost = TakeMost()  # noqa: RUF009 - frozen
    ahead: Callable = lambda a: 1


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    """The shipped propagation, with ``p_j = e^{a_j}``."""
    p, relevance = at.each("p", positive=True), of([[at.one("R")]])
    s = p / p.sum(-1, keepdim=True)
    found = subject.model.backward(layer(LogSumExp(-1, 3)), s, relevance)
    yield Step(
        "R_j", found.relevance[0], s * relevance[0, 0], "the shipped propagation, `s_j = p_j/Σ_i p_i` with `p_i = e^{a_i}`"
    )
    yield from accounted(found, relevance)


def steps(values, subject: Subject) -> Iterator[Step]:
    if isinstance(values, (Tensors, Shipped)):
        yield from values.steps(subject)
        return
    logs = {a: sympy.log(p) for a, p in zip(A, POINT, strict=True)}
    shares = [p / (sum(POINT) + OTHERS) for p in POINT]

    def at(e):
        return put(values, sympy.simplify(sympy.sympify(e).subs(logs)))

    moved = [a - sympy.log(Q) * subject.ahead(a) for a in A]
    scaled = sympy.exp(maximum(moved, OTHERS / Q))
    yield Step("e^{f(a - t·1)}", at(scaled), at(1 / Q * (sum(POINT) + OTHERS)), "with `q = e^t`: `f(a - t·1) = f(a) - t`")
    for k, a in enumerate(A):
        slope = sympy.diff(maximum(A, OTHERS), a)
        yield Step(f"∂f/∂a_{k + 1}", at(slope), at(shares[k]), "the same everywhere on that line")
        why = "the slope of `R f/y` times the way `y` to the root `t = y`"
        yield Step(f"R_{k + 1}", at(R / Y * slope * Y * subject.ahead(a)), at(R * shares[k]), why)


def conditions(values) -> tuple:
    return values.conditions() if isinstance(values, (Tensors, Shipped)) else (never_zero(put(values, Y), "`y ≠ 0`"),)


class Evenly(TakeMost):
    """Shared evenly."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        return super().backward(layer, 0 * saved + 1 / saved.sum(-1, keepdim=True) / 3, relevance)


class TakesLeast(TakeMost):
    """The smallest takes most: the shares of −a."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        inverse = 1 / saved
        return super().backward(layer, inverse / inverse.sum(-1, keepdim=True), relevance)


def cases() -> Iterator[Case]:
    yield from shipped(run, what="shipped,")
    yield from at_points((*POINT, OTHERS, R, Y, Q), "any number of entries", points=8)
    alike = Function(lambda x: x.logsumexp(-1, keepdim=True))
    yield tensors(lambda: explained(alike, [[3, 3]], [[8]]), [[4, 4]], "`logsumexp`, traced and explained: equal entries")
    least = Function(lambda x: -(-1024 * x).logsumexp(-1, keepdim=True) / 1024)
    why = "a stiff soft minimum: the smallest takes all"
    yield tensors(lambda: explained(least, [[3, 5]], [[8]]), [[8, 0]], why)


proof = Proof(
    name="log_sum_exp",
    claim="Along `1` the soft maximum `f(a) = log Σ_k e^{a_k}` is affine: `a - f(a)·1` is its root, nothing is left over, "
    "and `softmax_k(a) R` goes to `a_k` (max-take-most; a soft minimum is min-take-most).",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("shipped, shared evenly", Subject(model=Evenly())),
        Mutant("shipped, the smallest takes most", Subject(model=TakesLeast())),
        Mutant("the way along `a`", Subject(ahead=lambda a: a)),
    ),
    reference="Kauffmann 2020; Kauffmann 2022 (min-take-most)",
    subject=Subject(),
    cases=cases,
)
