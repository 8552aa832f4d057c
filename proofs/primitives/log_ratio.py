"""The log-ratio of two clusters: a difference of squared distances is linear, and its root the midpoint of the centres."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from dtd import Plan
from dtd.primitive import SquaredDistance
from dtd.relevance import Identity, SphereRoot
from proofs.entries import of
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.primitives.passed import Letters, layer, shipped
from proofs.primitives.sums import tensors
from proofs.tensors import Function, explained


@dataclass(frozen=True)
class Subject:
    """The rule of the distances, how the difference hands relevance to them, and where the linear function has its root."""

    order: int = 2
    shares: Callable = lambda own, other, logit: (-own / logit, other / logit)
    root: Callable = lambda u, v: (u + v) / 2


def quantities(at: Letters) -> tuple:
    """The point, both centres, and their squared distances. # shape: (1, J) three times, (1,) twice"""
    u, v, x = at.each("u"), at.each("v"), at.each("x")
    own, other = ((x - c) * (x - c) for c in (u, v))
    return u, v, x, own.sum(-1), other.sum(-1)


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    u, v, x, own, other = quantities(at)
    r, logit = at.one("R"), other - own
    normal, middle = 2 * (u - v), subject.root(u, v)
    yield Step("‖x - v‖² - ‖x - u‖²", (normal * (x - (u + v) / 2)).sum(-1), logit, "the logit of u against v is linear in x")
    yield Step("its value at the root", (normal * (middle - (u + v) / 2)).sum(-1), 0, "the midpoint of the centres")
    claimed = normal * (x - middle) * (r / logit)
    handed = 0 * x
    for centre, share in zip((u, v), subject.shares(own, other, logit), strict=True):
        arrived = 0 * own[None] + r * share
        found = SphereRoot(order=subject.order).backward(layer(SquaredDistance(centre)), x, arrived)
        handed = handed + found.relevance[0]
    why = "LRP-0 at the difference, the spheres' roots below: the terms at the midpoint"
    yield Step("R_i", handed, claimed, why)
    yield Step("Σ_i R_i", claimed.sum(-1), r, "conservation")
    passed = Identity().backward(layer(), None, of([[r]])).relevance[0]
    yield Step("R", passed, of([[r]]), "a monotone function of the logit, its sigmoid, passes what arrives", quiet=True)


def needs(at: Letters) -> tuple:
    *_, own, other = quantities(at)
    return (
        Condition(own, ">", "x is not u"),
        Condition(other, ">", "x is not v"),
        never_zero(other - own, "x is not between them"),
    )


def cases() -> Iterator[Case]:
    yield from shipped(run, needs)
    centres = torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.double)

    def logit(x):
        d = (x.unsqueeze(1) - centres.to(x)).square().sum(-1)
        return d[:, 1:] - d[:, :1]

    # at (3, 1): 13 - 5 = 8; by the midpoint (1/2, 3/2): 2 (1, -3) (5/2, -1/2) = (5, 3)
    yield tensors(lambda: explained(Function(logit), [[3, 1]], [[8]], Plan([])), [[5, 3]], "traced and explained")


proof = Proof(
    name="log_ratio",
    claim="The log-ratio of two clusters, `‖x - v‖² - ‖x - u‖²`, is linear. LRP-0 at the difference and the spheres' roots "
    "of both distances hand down its first-order terms at the midpoint, `2 (u - v)_i (x - (u + v)/2)_i`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("the root at the other centre", Subject(root=lambda u, v: v)),
        Mutant("both distances count positive", Subject(shares=lambda own, other, logit: (own / logit, other / logit))),
        Mutant("the difference shared by halves", Subject(shares=lambda own, other, logit: (own / own / 2, own / own / 2))),
    ),
    reference="Kauffmann 2022, on k-means",
    subject=Subject(),
    cases=cases,
)
