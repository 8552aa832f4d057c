"""The exponential of a squared distance: it has no root, and passes what arrives, as every path to infinity does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from torch import Tensor

from dtd import Plan
from dtd.primitive import SquaredDistance
from dtd.propagation import Layer, Propagated
from dtd.relevance import Identity, SphereRoot
from proofs.entries import of
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.passed import layer
from proofs.primitives.sums import Tensors, tensors
from proofs.tensors import Function, explained

D = several("d", 2)  # a − u
REST = sympy.Symbol("q", positive=True)  # Σ d_i² of any number of further inputs
GAMMA, S = (sympy.Symbol(name, positive=True) for name in ("gamma", "s"))
R = sympy.Symbol("R", real=True)
SQUARE = sum(d**2 for d in D) + REST


@dataclass(frozen=True)
class Subject:
    """The rule of the exponential, and the kernel along the ray ``u + s (a − u)``."""

    model: Identity = Identity()  # noqa: RUF009 - frozen
    kernel: Callable = lambda s: sympy.exp(-GAMMA * s**2 * SQUARE)


def conditions(values) -> tuple:
    if isinstance(values, Tensors):
        return values.conditions()
    return (Condition(put(values, D[0] ** 2 + D[1] ** 2), ">", "`a` is not the centre"),)


def steps(values, subject: Subject) -> Iterator[Step]:
    if isinstance(values, Tensors):
        yield from values.steps(subject)
        return

    def at(e):
        return put(values, sympy.simplify(e))

    here, kernel = subject.kernel(sympy.S.One), subject.kernel(S)
    left = sympy.limit(kernel.subs(SQUARE, 1), S, sympy.oo)
    yield Step("k(∞)", left, 0, "on the ray away from the centre the kernel vanishes, at no finite point")
    passed = subject.model.backward(layer(), None, of([[at(R)]])).relevance[0]
    found = SphereRoot().backward(layer(SquaredDistance(of([[0, 0]]))), of([[at(d) for d in D]]), passed)
    for i, d in enumerate(D):
        slope = -2 * GAMMA * S * d * kernel  # ∂k/∂a_i at u + s (a − u), for the kernel above
        path = sympy.integrate(slope * d, S)  # from infinity to 1: its value at 1, since it vanishes at infinity
        share = at(path.subs(S, 1) / here * R)
        yield Step(f"R_{i + 1} (path)", share, at(d**2 / SQUARE * R), "slope times way, summed from infinity to `a`")
        shipped = found.relevance[0][0, i] * at((D[0] ** 2 + D[1] ** 2) / SQUARE)
        yield Step(f"R_{i + 1}", shipped, share, "the shipped rules; `q`: the further inputs' part of the distance")


class Doubled(Identity):
    """Twice the relevance passes."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        return super().backward(layer, saved, 2 * relevance)


def cases() -> Iterator[Case]:
    yield from at_points((*D, REST, GAMMA, R), "any number of inputs", points=6)
    # at (3, 4) from 0: 9/25 and 16/25
    kernel = Function(lambda x: torch.cdist(x, x.new_zeros(1, 2)).square().mul(-0.125).exp())
    yield tensors(lambda: explained(kernel, [[3, 4]], [[50]], Plan([])), [[18, 32]], "an RBF kernel, traced and explained")


proof = Proof(
    name="kernel_expansion",
    claim="An RBF kernel `exp(-γ‖a - u‖²)` has no root; it passes what arrives to the squared distance, which hands on "
    "`(a_i - u_i)²/‖a - u‖² R`: the path integral along the ray from infinity, where the kernel vanishes, for every γ.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("twice the relevance passes", Subject(model=Doubled())),
        Mutant("a kernel of the distance, not of its square", Subject(kernel=lambda s: sympy.exp(-GAMMA * s * SQUARE))),
    ),
    reference="Montavon 2022, on kernel models",
    subject=Subject(),
    cases=cases,
)
