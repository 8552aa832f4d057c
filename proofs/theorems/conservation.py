"""Conservation of a whole network, by induction over its primitives, with all that was kept accounted for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import numpy as np
import sympy

from dtd.algebra import positive
from dtd.domain import NonNegative, Real
from dtd.plans.rules import catalogue
from dtd.relevance import Linear, TrainingFree
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.layers import BIASES
from proofs.units import FiniteMap, SymbolicUnits

LAYERS = sympy.Symbol("L", integer=True, nonnegative=True)
l = sympy.Symbol("l", integer=True)  # noqa: E741
S, KEPT = sympy.IndexedBase("S", real=True), sympy.IndexedBase("k", real=True)
RULES = {"lrp0": {}, "gamma": {"gamma": Fraction(1, 4)}, "zplus_signed": {}, "alphabeta": {"alpha": Fraction(2)}, "flat": {}}


@dataclass(frozen=True)
class Subject:
    """What a layer keeps, and how the relevance of a value with two consumers is put together."""

    kept: Callable = lambda terms: terms.bias + terms.zeroth + terms.remainder
    joined: Callable = lambda one, other: one + other


@dataclass(frozen=True)
class Induction:
    """``S_l``: relevance that waits after primitive l from below; ``k_l = S_l − S_{l−1}``: what primitive l keeps."""

    def steps(self, _: Subject) -> Iterator[Step]:
        kept = sympy.Sum(KEPT[l], (l, 1, LAYERS))
        first = sympy.Sum(KEPT[l], (l, 1, LAYERS + 1))
        yield Step("Σ_{l≤0} k_l", sympy.Sum(KEPT[l], (l, 1, 0)).doit(), S[0] - S[0], "no primitive: nothing is kept")
        yield Step("Σ_{l≤L} k_l", kept, S[LAYERS] - S[0], "the induction hypothesis")
        yield Step("k_{L+1}", KEPT[LAYERS + 1], S[LAYERS + 1] - S[LAYERS], "the balance of one primitive: see unit_balance")
        yield Step("Σ_{l≤L+1} k_l", first, S[LAYERS + 1] - S[0], "so it holds for `L + 1` primitives")

    @property
    def where(self) -> dict:
        """The hypothesis, and the balance of primitive L + 1."""
        hypothesis = {sympy.Sum(KEPT[l], (l, 1, LAYERS)): S[LAYERS] - S[0]}
        return {**hypothesis, KEPT[LAYERS + 1]: S[LAYERS + 1] - S[LAYERS]}


def numbers(draw: Random, *shape: int) -> np.ndarray:
    """Rational numbers that are not 0."""
    values = [Fraction(draw.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4)), draw.choice((1, 2, 3))) for _ in range(np.prod(shape))]
    return np.array(values, dtype=object).reshape(shape)


def dense(draw: Random, inputs: int, outputs: int) -> FiniteMap:
    """A layer with rational weights."""
    weight, bias = numbers(draw, outputs, inputs), numbers(draw, outputs)
    return FiniteMap(weight=weight, bias=bias, in_shape=(inputs,), out_shape=(outputs,))


@dataclass(frozen=True)
class Network:
    """``f(x) = C (h + B h)`` with ``h = max(0, A x)``, run exactly by the shipped models, rules drawn for each layer."""

    seed: int
    width: int = 3

    def steps(self, subject: Subject) -> Iterator[Step]:
        draw, n = Random(self.seed), self.width
        first, second, last = dense(draw, 2, n), dense(draw, n, n), dense(draw, n, 1)
        eye = np.array([[Fraction(int(i == j % n)) for j in range(2 * n)] for i in range(n)], dtype=object)
        add = FiniteMap(weight=eye, bias=np.array([Fraction(0)] * n, dtype=object), in_shape=(2 * n,), out_shape=(n,))
        x = numbers(draw, 1, 2)
        h = positive(first.apply(x))
        both = np.concatenate([h, second.apply(h)], 1)
        y = add.apply(both)
        f = last.apply(y)
        kept = Fraction(0)

        def down(layer, a, relevance, model, domain, rule="lrp0"):
            nonlocal kept
            strategy = catalogue[rule].derived(bias=draw.choice(BIASES), **RULES[rule])
            units = SymbolicUnits(layer, a)
            terms = model(strategy).terms(units, domain, relevance)
            kept += (subject.kept(terms) + 0 * relevance).sum()
            return layer.collect(terms.first)

        of_y = down(last, y, f, Linear, Real(), draw.choice(sorted(RULES)))
        of_both = down(add, both, of_y, Linear, Real())
        through = down(second, h, of_both[:, n:], Linear, NonNegative(), draw.choice(sorted(RULES)))
        of_h = subject.joined(of_both[:, :n], through)
        of_x = down(first, x, of_h, TrainingFree, Real(), draw.choice(sorted(RULES)))
        yield Step("f(x)", f.sum(), of_x.sum() + kept, "relevance of the input, and what the layers kept")


def cases() -> Iterator[Case]:
    for seed in range(20):
        yield Case(f"network {seed}", Network(seed), point=True)
    yield Case("any number of primitives", Induction(), shown=True, where=Induction().where, extent="any number of layers")


proof = Proof(
    name="conservation",
    claim="If every primitive balances, the relevance of the output is that of the input plus all that the primitives "
    "kept (bias, zeroth, remainder), for any number of primitives and any branching.",
    steps=lambda at, subject: at.steps(subject),
    conditions=unconditional,
    mutants=(
        Mutant("the bias shares are not counted", replace(Subject(), kept=lambda terms: terms.zeroth + terms.remainder)),
        Mutant("the zeroth terms are not counted", replace(Subject(), kept=lambda terms: terms.bias + terms.remainder)),
        Mutant("the first of two consumers is overwritten", replace(Subject(), joined=lambda one, other: other)),
    ),
    reference="Montavon 2017, Sec. 2 (conservation; there without bias and zeroth terms)",
    subject=Subject(),
    cases=cases,
    note="`S_l` counts the relevance of every value that still waits, so that a value with several consumers, whose shares "
    "add up, is covered. Points: a residual network, run by the shipped models with rules drawn at random.",
)
