"""A product with a gate: the signal takes all, and the gate is found by its domain."""

from collections.abc import Iterator

import sympy
import torch

from dtd import Plan, where
from dtd.domain import Box, Real
from dtd.relevance import MatMulShares, ProductShares
from proofs.entries import Entries, of
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.primitives.passed import Letters, accounted, layer, shipped
from proofs.primitives.sums import tensors
from proofs.taylor import expansion
from proofs.tensors import Function, explained

GATE, SIGNAL = Box(0.0, 1.0), Real()
ORDERS = {"signal, gate": ((SIGNAL, GATE), 0), "gate, signal": ((GATE, SIGNAL), 1)}  # domains; the signal's place
TOP = sympy.Symbol("R", real=True)
SAME = {"two signals": (SIGNAL, SIGNAL), "two gates": (GATE, GATE)}


def run(models, at: Letters) -> Iterator[Step]:
    product, matmul = models
    relevance, top = at.each("R"), of([[[at.one("R_1")]]])
    yield Step("terms at the root (0, g)", of(at_the_root()), of([[TOP, 0, 0, 0]]), "the gate stays")
    for order, (domains, signal) in ORDERS.items():
        found = product.backward(layer(domains=domains), None, relevance)
        yield Step(f"R of the signal ({order})", found.relevance[signal], relevance, "the signal takes all")
        yield Step(f"R of the gate ({order})", found.relevance[1 - signal], 0 * relevance, "the gate stands still")
        yield from accounted(found, relevance)
        row, column = mixed(at, signal)
        y = row @ column
        found = matmul.backward(layer(domains=domains), (row, column, y), top)
        values = at.each("a") * at.each("g", positive=True) / y[0, 0, 0] * top[0, 0, 0]
        yield Step(f"R of values ({order})", found.relevance[signal].reshape(1, -1), values, "attention: `a_m g_m/y R`")
        yield Step(f"R of weights ({order})", found.relevance[1 - signal].reshape(1, -1), 0 * values, "they stand still")
    for name, domains in SAME.items():
        found = product.backward(layer(domains=domains), None, relevance)
        for part in found.relevance:
            yield Step(f"R ({name})", part, relevance / 2, "neither is the signal: halves", quiet=True)


def at_the_root() -> list:
    """First-order terms, zeroth term and remainder of a product's model at ``(0, g)``."""
    x, g, x0, g0 = (sympy.Symbol(name, real=True, nonzero=True) for name in ("x", "g", "x_0", "g_0"))
    found = expansion(TOP * x * g / (x0 * g0), (x, g), (sympy.S.Zero, g0))
    return [[sympy.sympify(term).subs({x: x0, g: g0}) for term in (*found.first, found.zeroth, found.remainder)]]


def mixed(at: Letters, signal: int) -> tuple[Entries, Entries]:
    """A row times a column, any number of products: values and weights, in either order."""
    values, weights = at.each("a"), at.each("g", positive=True)
    row, column = (values, weights) if signal == 0 else (weights, values)
    open_ = at.seed is None
    return of(row.reshape(1, 1, -1), -1 if open_ else None), of(column.reshape(1, -1, 1), -2 if open_ else None)


def needs(at: Letters) -> tuple:
    return (never_zero((at.each("a") * at.each("g", positive=True)).sum(-1), "the sum is not 0"),)


def cases() -> Iterator[Case]:
    yield from shipped(run, needs)
    plan = Plan([(where.kind("product"), ProductShares(None))])
    for function in (lambda x: torch.sigmoid(x[:, :2]) * x[:, 2:], lambda x: x[:, 2:] * torch.sigmoid(x[:, :2])):
        found = lambda f=function: explained(Function(f), [[0, 0, 2, -4]], [[8, 6]], plan)  # noqa: E731 - sigmoid(0) = 1/2
        yield tensors(found, [[0, 0, 8, 6]], "a sigmoid beside a signal, traced and explained")


proof = Proof(
    name="gate",
    claim="Beside a gate the signal takes all: `(0, g)` is a root without zeroth term or remainder at which the gate stays "
    "where it is. A gate is a factor whose domain is `[0, 1]`; without one, or with two, each factor takes half.",
    steps=lambda at, models: at.steps(models),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("halves beside a gate", (ProductShares(0.5), MatMulShares(0.5))),
        Mutant("the first factor takes all", (ProductShares(1), MatMulShares(1))),
        Mutant("attention weights take half", (ProductShares(None), MatMulShares(0.5))),
    ),
    reference="Arras 2017, 2019 (signal takes all)",
    subject=(ProductShares(None), MatMulShares(None)),
    cases=cases,
)
