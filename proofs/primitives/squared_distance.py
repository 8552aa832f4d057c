"""A squared distance, expanded at a sphere around its centre: the shipped rule for any radius and any number of inputs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd import Plan, where
from dtd.primitive import SquaredDistance
from dtd.propagation import Layer, Propagated
from dtd.relevance import SphereRoot
from proofs.entries import unchecked
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.primitives.passed import Letters, layer, shipped
from proofs.primitives.sums import tensors
from proofs.tensors import Function, explained


class AtSphere(SphereRoot):
    """The shipped rule, for a sphere at a symbolic share of the way to the data point."""

    way: Any = 0

    def scale(self, y: Tensor) -> Any:
        return self.way


class Halfway(AtSphere):
    """The mirror: the share is counted from the data point."""

    def scale(self, y: Tensor) -> Any:
        return 1 - self.way


class Lengths(AtSphere):
    """Shares by distance, not by its square."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        apart = (saved[..., None, :] - layer.op.centres).sum(-2)
        return found._replace(relevance=(relevance.sum(-1) / apart.sum(-1) * apart,))


@dataclass(frozen=True)
class Subject:
    """The shipped rule, and the root that it stands for."""

    kind: type = AtSphere
    root: Callable = lambda u, d, s: u + s * d


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    d, u, s, r = at.each("d", positive=True), at.each("u"), at.one("s", positive=True), at.one("R")
    a, y = u + d, (d * d).sum(-1)
    root = subject.root(u, d, s)
    c = r / (y - s * s * y)  # R̂(x) = c (‖x − u‖² − s² y)
    value = ((root - u) * (root - u)).sum(-1) - s * s * y
    yield Step("‖ã - u‖² - r²", value, 0, "`ã = u + s (a - u)` lies on the sphere of radius `r = s ‖a - u‖`")
    first, second = c * 2 * (root - u) * (a - root), c * (a - root) * (a - root)
    squares = r / y * d * d
    yield Step("R_j (first order)", first, 2 * s / (1 + s) * squares, "the slope at the root times the way")
    yield Step("R_j (second order)", first + second, squares, "with the curvature: exact, whatever the radius")
    for order, share in ((1, 2 * s / (1 + s)), (2, 1)):
        found = unchecked(subject.kind, order=order, way=s).backward(layer(SquaredDistance(u)), a, 0 * y[None] + r)
        yield Step(f"R_j (order={order})", found.relevance[0], share * squares, "the shipped rule")
        yield Step("Σ_j R_j", found.balance.first, share * r, "what it hands down")
        yield Step("zeroth", found.balance.zeroth, 0, "the point is not the centre", quiet=True)
        yield Step("remainder", found.balance.remainder, (1 - share) * r, "what first order leaves over")


def cases() -> Iterator[Case]:
    yield from shipped(run, lambda at: (never_zero(1 - at.one("s", positive=True), "`a` is not on the sphere"),))
    x, arrived = [[3, 1]], [[10, 26]]  # to (1, 0): 4 + 1; to (0, 3): 9 + 4
    distances = Function(lambda x: torch.cdist(x, x.new_tensor([[1.0, 0.0], [0.0, 3.0]])).square())
    yield tensors(lambda: explained(distances, x, arrived), [[26, 10]], "`cdist`, traced and explained: 8 + 18, 2 + 8")
    plan = Plan([(where.kind("squared_distance"), SphereRoot(15.0, order=1))])  # s = 3: three halves of R
    far = Function(lambda x: (x.unsqueeze(1) - x.new_tensor([[0.0, 0.0]])).square().sum(-1))
    why = "a sphere behind the data point, at first order: 3/2 (18, 32)"
    yield tensors(lambda: explained(far, [[3, 4]], [[50]], plan), [[27, 48]], why)


proof = Proof(
    name="squared_distance",
    claim="A squared distance `‖a - u‖²`, expanded at any sphere around its centre, hands `(a_j - u_j)²/‖a - u‖² R` "
    "to `a_j` by terms up to second order; those of first order are `2s/(1 + s)` of it, for the radius `s ‖a - u‖`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    assumes=("no input equals the centre's",),
    mutants=(
        Mutant("shares by distance, not by its square", Subject(kind=Lengths)),
        Mutant("the share counted from the data point", Subject(kind=Halfway)),
        Mutant("the root on the other side of the centre's sphere", Subject(root=lambda u, d, s: u + (1 + s) * d)),
    ),
    reference="Kauffmann 2020 (one-class models); Montavon 2022",
    subject=Subject(),
    cases=cases,
)
