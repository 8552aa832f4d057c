"""A norm with mean and scale held: each output has one input, and relevance passes (AttnLRP, Proposition 3.4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from torch import Tensor, nn

from dtd import Plan, where
from dtd.propagation import Layer, Propagated, Propagation
from dtd.relevance import Identity
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.primitives.passed import Letters, accounted, layer, shipped
from proofs.primitives.sums import tensors
from proofs.tensors import explained


def root(x, gain, mean, sigma, shift):
    """``x̃ = μ − β σ/g``: where the held norm is 0."""
    return mean - shift * sigma / gain


@dataclass(frozen=True)
class Subject:
    """The shipped rule, and the root that it stands for."""

    model: Propagation = Identity()  # noqa: RUF009 - frozen
    root: Callable = root


def run(subject: Subject, at: Letters) -> Iterator[Step]:
    x, gain, y, relevance = (
        at.each("x"),
        at.each("g", nonzero=True, real=True),
        at.each("y", nonzero=True, real=True),
        at.each("R"),
    )
    sigma, mean = at.one("sigma", positive=True), at.one("mu")
    shift = y - gain * (x - mean) / sigma  # any output y that is not 0: the bias is what it takes
    zero = subject.root(x, gain, mean, sigma, shift)
    yield Step("y_k(x̃_k)", gain * (zero - mean) / sigma + shift, 0 * y, "with `μ` and `σ` held it is affine in `x_k` alone")
    first = relevance / y * gain / sigma * (x - zero)
    yield Step("R_k/y_k g_k/σ (x_k - x̃_k)", first, relevance, "the first-order term at the root, for any bias")
    found = subject.model.backward(layer(), None, relevance)
    yield Step("R_j", found.relevance[0], first, "the shipped rule")
    yield from accounted(found, relevance)


def cases() -> Iterator[Case]:
    yield from shipped(run, lambda at: (never_zero(at.each("y", nonzero=True, real=True), "no output is 0"),))
    plan = Plan([(where.kind("layer_norm"), Identity())])
    yield tensors(lambda: explained(nn.LayerNorm(3), [[1, 2, 6]], [[2, 2, 18]], plan), [[2, 2, 18]], "LayerNorm, explained")


class Spread(Identity):
    """The mean moves."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        return found._replace(relevance=(relevance - relevance.mean(-1, keepdim=True),))


class Halved(Identity):
    """Half is handed down."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        return super().backward(layer, saved, relevance / 2)


proof = Proof(
    name="norm_identity",
    claim="AttnLRP's Proposition 3.4: with mean and scale held constant a norm is `g (x_k - μ)/σ + β` of its one input, "
    "whose root is `μ - β σ/g`; all relevance passes, for every gain and bias.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("the mean moves", Subject(model=Spread())),
        Mutant("half is handed down", Subject(model=Halved())),
        Mutant("the root at the mean, whatever the bias", Subject(root=lambda x, gain, mean, sigma, shift: mean + 0 * x)),
        Mutant("the root at 0", Subject(root=lambda x, gain, mean, sigma, shift: sympy.S.Zero * x)),
    ),
    reference="Achtibat 2024, Proposition 3.4",
    subject=Subject(),
    cases=cases,
)
