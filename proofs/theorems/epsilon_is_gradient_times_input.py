"""On a ReLU network without biases, LRP-ε with ε = 0 is gradient × input."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import sympy

from dtd.algebra import positive
from dtd.domain import NonNegative, Real
from dtd.lrp import LRPEpsilon
from dtd.plans.rules import catalogue
from dtd.relevance import Linear, TrainingFree
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import draw, put, several
from proofs.symbols import array
from proofs.units import FiniteMap, SymbolicUnits

X, U, W = several("x", 2), several("u", 2), several("w", 4)


@dataclass(frozen=True)
class Subject:
    """The root strategy of both layers, and the explicit rule."""

    derived: Any = catalogue["epsilon"].derived("neuron", epsilon=0)  # noqa: RUF009 - frozen
    explicit: Any = LRPEpsilon("neuron", 0)  # noqa: RUF009


def z(x):
    """Pre-activations of the two hidden units."""
    return tuple(W[2 * k] * x[0] + W[2 * k + 1] * x[1] for k in range(2))


def network(x):
    """``f(x) = Σ_k u_k max(0, z_k(x))``."""
    return sum(u * positive(value) for u, value in zip(U, z(x), strict=True))


def conditions(at):
    values, region = at
    for sign, value in zip(region, z(X), strict=True):
        yield Condition(put(values, sign * value), ">", "`x` is not on the border of a linear region")
    yield never_zero(put(values, network(X)), "`f(x) ≠ 0`")


def layer(weight, values):
    """A dense layer without bias."""
    weight = put(values, array(weight))
    return FiniteMap(weight=weight, bias=weight[:, 0] * 0, in_shape=(weight.shape[1],), out_shape=(weight.shape[0],))


def steps(at, subject) -> Iterator[Step]:
    values, _ = at
    lower, upper = layer([W[:2], W[2:]], values), layer([U], values)
    x = put(values, array([X]))
    a = put(values, array([[positive(value) for value in z(X)]]))
    gradient = [x_j * sympy.diff(network(X), x_j) for x_j in X]
    units, above = SymbolicUnits(lower, x), SymbolicUnits(upper, a)
    top = upper.collect(Linear(subject.derived).terms(above, NonNegative(), above.z).first)
    hidden = [u * positive(value) for u, value in zip(U, z(X), strict=True)]
    yield Step("R_k", top[0], put(values, array(hidden)), "relevance of the hidden units: `a_k u_k`")
    bottom = lower.collect(TrainingFree(subject.derived).terms(units, Real(), top).first)
    for j in range(2):
        why = "the derived rule through both layers: `x_j ∂f/∂x_j`"
        yield Step(f"R_{j + 1}", bottom[0, j], put(values, gradient[j]), why, quiet=j > 0)
    top, _ = subject.explicit.propagate(upper, a, above.z, NonNegative())
    bottom, _ = subject.explicit.propagate(lower, x, top, Real())
    explicit = "the explicit rule through both layers"
    yield Step("R_j", bottom[0], put(values, array(gradient)), explicit, reads="x_j ∂f/∂x_j")
    yield Step("Σ_j R_j", bottom.sum(), put(values, network(X)), "without biases it conserves `f(x)`")


def cases() -> Iterator[Case]:
    symbols = (*X, *U, *W)
    for seed in range(15):
        values = draw(symbols, seed)
        region = tuple(1 if value > 0 else -1 for value in put(values, array(z(X))))
        yield Case(f"point {values}", (values, region), point=True)
    for region in product((1, -1), repeat=2):
        title = ", ".join(f"unit {k} {'active' if sign > 0 else 'inactive'}" for k, sign in enumerate(region, 1))
        yield Case(title, ({}, region), shown=region == (1, -1), extent="two hidden units")


proof = Proof(
    name="epsilon_is_gradient_times_input",
    claim="On a ReLU network without biases, LRP-ε with `ε = 0` in every layer is gradient times input.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("derived with `ε = 1`", replace(Subject(), derived=catalogue["epsilon"].derived("neuron", epsilon=1))),
        Mutant("explicit with `ε = 1`", replace(Subject(), explicit=LRPEpsilon(epsilon=1))),
        Mutant("derived with `z⁺`", replace(Subject(), derived=catalogue["zplus_signed"].derived())),
    ),
    reference="Shrikumar 2016, on LRP and gradient times input; Ancona 2018, Prop. 1",
    subject=Subject(),
    cases=cases,
    note="Two layers of two hidden units, every linear region; deeper networks by the chain rule.",
)
