"""What is held constant is no input: nothing is handed down, and all relevance stays as the share of a bias."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sympy
from torch import Tensor

from dtd import Plan, where
from dtd.propagation import Layer, Propagated, per_sample
from dtd.relevance import Constant, MatMulShares
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof
from proofs.primitives.passed import Letters, accounted, layer, shipped
from proofs.primitives.sums import tensors
from proofs.taylor import expansion
from proofs.tensors import Function, explained


def run(model, at: Letters) -> Iterator[Step]:
    x, relevance = at.each("x"), at.each("R")
    held, a = sympy.symbols("R a", real=True)
    found = expansion(held, (a,), (sympy.S.Zero,))
    yield Step("∂R̂/∂a a", found.first[0], 0, "a constant model has no slope, wherever it is expanded")
    got = model.backward(layer(), (x,), relevance)
    yield Step("R_j", got.relevance[0], 0 * x, "nothing is handed down")
    yield from accounted(got, relevance, bias=per_sample(relevance))


def cases() -> Iterator[Case]:
    yield from shipped(run)

    def attention(x):
        return x[:, :, :2].softmax(-1) @ x[:, 0, 2:, None]

    plan = Plan([(where.kind("softmax"), Constant()), (where.kind("matmul"), MatMulShares(None))])
    found = lambda: explained(Function(attention), [[[3, 3, 1, 3]]], [[[8]]], plan)  # noqa: E731 - s = 1/2, y = 2
    yield tensors(found, [[[0, 0, 2, 6]]], "CP-LRP, traced and explained: the values take `s_m v_m/y R`, the scores nothing")


class Passed(Constant):
    """The relevance is handed on."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        return super().backward(layer, saved, relevance)._replace(relevance=(relevance,))


class Silent(Constant):
    """What stays is not reported."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        return found._replace(balance=replace(found.balance, bias=0 * found.balance.bias))


proof = Proof(
    name="constant",
    claim="An operation that is held constant hands nothing down; what arrives stays as the share of a bias. CP-LRP "
    "holds softmax, so that the values of attention take all.",
    steps=lambda at, model: at.steps(model),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("the relevance is handed on", Passed()),
        Mutant("what stays is not reported", Silent()),
    ),
    reference="Ali 2022, on attention weights held constant",
    subject=Constant(),
    cases=cases,
)
