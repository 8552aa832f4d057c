"""With roots that do not move with the input, DTD of a ReLU network is gradient × (x − x̃) (Sixt & Landgraf 2022)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import sympy

from dtd.algebra import positive
from dtd.domain import NonNegative
from dtd.relevance import Linear
from dtd.root import Reference
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import draw, put, several
from proofs.symbols import array
from proofs.units import FiniteMap, SymbolicUnits

X, ROOT, U, C = several("x", 2), several("xtilde", 2), several("u", 2), sympy.Symbol("c", real=True)
W, B, H, G = several("w", 4), several("b", 2), several("h", 2), several("g", 4)


@dataclass(frozen=True)
class Subject:
    """The hidden units' roots as functions of the input, and the way from the root to the input."""

    hidden: Callable = lambda x: H
    way: Callable = lambda x, root: x - root


def z(x):
    """Pre-activations of the two hidden units."""
    return tuple(W[2 * k] * x[0] + W[2 * k + 1] * x[1] + B[k] for k in range(2))


def network(x):
    """``f(x) = Σ_k u_k max(0, z_k(x)) + c``."""
    return sum(u * positive(value) for u, value in zip(U, z(x), strict=True)) + C


def conditions(at):
    values, region = at
    for x, text in ((X, "`x`"), (ROOT, "the root `x̃`")):
        for sign, value in zip(region, z(x), strict=True):
            yield Condition(put(values, sign * value), ">", f"{text} lies in the linear region")
    yield never_zero(put(values, network(X)), "`f(x) ≠ 0`")


def decomposition(hidden, way):
    """``R_j = Σ_k ∂R_k/∂x_j (x̃) (x_j − x̃_j)`` of the exact relevance ``R_k(x) = u_k (a_k(x) − ã_k(x))``."""
    relevance = [u * (positive(value) - root) for u, value, root in zip(U, z(X), hidden, strict=True)]
    at_root = dict(zip(X, ROOT, strict=True))
    return [
        sum(sympy.diff(r, x).subs(at_root, simultaneous=True) for r in relevance) * way(x, root)
        for x, root in zip(X, ROOT, strict=True)
    ]


def steps(at, subject):
    values, _ = at
    a = array([[positive(value) for value in z(X)]])
    layer = FiniteMap(weight=array([U]), bias=array([C]), in_shape=(2,), out_shape=(1,))
    units = SymbolicUnits(layer, a)
    root: Any = array([H])  # symbols, where the model takes a tensor
    top = Linear(Reference(root)).terms(units, NonNegative(), units.z)
    own = [u * (a_k - h) for u, a_k, h in zip(U, a[0], H, strict=True)]
    yield Step("R_k", put(values, top.first[0, 0]), put(values, array(own)), "Linear(Reference) at the hidden root `h`")
    gradient = [sympy.diff(network(X), x) for x in X]
    there = [g * (x - root) for g, x, root in zip(gradient, X, ROOT, strict=True)]
    found = decomposition(subject.hidden(X), subject.way)
    for j in range(2):
        why = "`∂f/∂x_j (x_j - x̃_j)`: a constant `h` drops out of the gradient"
        yield Step(f"R_{j + 1}", put(values, found[j]), put(values, there[j]), why, quiet=j > 0)
    moving = [h + G[2 * k] * X[0] + G[2 * k + 1] * X[1] for k, h in enumerate(H)]
    bent = [g - sum(U[k] * G[2 * k + j] for k in range(2)) for j, g in enumerate(gradient)]
    there = [g * (x - root) for g, x, root in zip(bent, X, ROOT, strict=True)]
    found = decomposition(moving, subject.way)
    why = "a hidden root that moves with slope `g_kj` bends the gradient by `- Σ_k u_k g_kj`: any explanation can be had"
    for j in range(2):
        yield Step(f"R_{j + 1}(moving)", put(values, found[j]), put(values, there[j]), why, quiet=j > 0)


def cases() -> Iterator[Case]:
    for seed in range(40):
        values = draw((*X, *ROOT, *U, C, *W, *B, *H, *G), seed)
        region = tuple(1 if put(values, value) > 0 else -1 for value in z(X))
        yield Case(f"point {seed}", (values, region), point=True)
    for region in product((1, -1), repeat=2):
        title = ", ".join(f"unit {k} {'active' if sign > 0 else 'inactive'}" for k, sign in enumerate(region, 1))
        yield Case(title, ({}, region), shown=region == (1, 1), extent="two hidden units")


proof = Proof(
    name="gradient_times_input",
    claim="In a linear region of a two-layer ReLU network, with roots that do not change with the input, the exact "
    "decomposition is the gradient times `x - x̃`, whatever the hidden roots.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("hidden roots at half the activation", replace(Subject(), hidden=lambda x: [positive(v) / 2 for v in z(x)])),
        Mutant("hidden roots that move with `x`", replace(Subject(), hidden=lambda x: [h * x[0] for h in H])),
        Mutant("the way back", replace(Subject(), way=lambda x, root: root - x)),
    ),
    reference="Sixt & Landgraf 2022, on locally constant roots",
    subject=Subject(),
    cases=cases,
    note="The exact relevance model is taken as mathematics (the tests hold dtd.Exact against this theorem); the top layer "
    "is the shipped Linear(Reference).",
)
