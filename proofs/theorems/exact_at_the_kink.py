"""Where the exact model has its root at the unit's own kink, it is the training-free one with ``c_k`` moved to the root."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy

from dtd.domain import Real
from dtd.relevance import Linear
from dtd.root import Ray
from proofs import points
from proofs.arbitrary import Along
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.points import put, several
from proofs.symbols import array
from proofs.units import FiniteMap, SymbolicUnits

X, W, V = several("x", 2), several("w", 2), several("v", 2)
B, C = sympy.Symbol("b", real=True), several("c", 3)


@dataclass(frozen=True)
class Subject:
    """Where the gradient is taken, and where the constant that it is compared with."""

    gradient: Callable = lambda data, root: root
    constant: Callable = lambda data, root: root


def z(x):
    """The pre-activation of the upper unit, active at the data point and up to its root."""
    return W[0] * x[0] + W[1] * x[1] + B


def c(x):
    """What the layers above make of the unit's activation, ``R_k = c_k z_k``: here a polynomial of the activations."""
    return C[0] + C[1] * x[0] + C[2] * x[0] * x[1]


def conditions(values):
    yield never_zero(put(values, W[0] * V[0] + W[1] * V[1]), "`n = w·v` is not 0")
    yield never_zero(put(values, c(X)), "`c_k(a)` is not 0")
    yield never_zero(put(values, z(X)), "`z_k(a)` is not 0")


def steps(values, subject):
    layer = FiniteMap(weight=array([W]), bias=array([B]), in_shape=(2,), out_shape=(1,))
    units, ray = SymbolicUnits(layer, array([X])), Ray(Along(array([V]), 0))
    root = tuple(ray.root(units, Real()).points(units)[0, 0])
    relevance = c(X) * z(X)
    at = dict(zip(X, subject.gradient(X, root), strict=True))
    first = [sympy.diff(relevance, x).subs(at, simultaneous=True) * (x - r) for x, r in zip(X, root, strict=True)]
    moved = c(subject.constant(X, root))
    expected = [moved * w * (x - r) for w, x, r in zip(W, X, root, strict=True)]
    why = "`∇R_k = c_k ∇z_k + z_k ∇c_k`, and `z_k(ã) = 0`"
    yield Step("R_j←k", put(values, array(first)), put(values, array(expected)), why)
    free = Linear(ray).terms(units, Real(), array([[relevance]])).first[0, 0]
    why = "the training-free terms times `c_k(ã) / c_k(a)`"
    yield Step("c_k(a) R_j←k", put(values, c(X) * array(first)), put(values, moved * free), why, reads="R_j←k")
    rest = relevance - sum(first)
    why = "nothing is left at the root; what `c_k` changes on the way is the remainder"
    yield Step("remainder", put(values, rest), put(values, (c(X) - moved) * z(X)), why)


plain = Subject()
proof = Proof(
    name="exact_at_the_kink",
    claim="Where `R_k = c_k(a) z_k(a)` is expanded at a root of `z_k`, the first-order terms are the training-free ones "
    "times `c_k(ã)/c_k(a)`, and the remainder is `(c_k(a) - c_k(ã)) z_k(a)`: the training-free model is exact iff `c_k` is "
    "the same at the root.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the gradient at the data point", replace(plain, gradient=lambda data, root: data)),
        Mutant("the constant at the data point", replace(plain, constant=lambda data, root: data)),
    ),
    reference="Montavon 2017, Sec. 5.2, without its assumption that `c_k` is constant",
    subject=plain,
    cases=lambda: points.cases((*X, *W, *V, B, *C), "two inputs", points=9),
    note="`c_k` is a polynomial of two activations with free coefficients; the steps use its value and its gradient alone.",
)
