"""The variance of averages over root distributions: what N independent draws leave uncertain, and what no draw changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import sympy

from dtd.domain import Real
from dtd.relevance import Linear
from dtd.relevance.moments import Moments
from dtd.root import Ray
from proofs.arbitrary import Along
from proofs.exactly import entries_of, made
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import draw, put, several
from proofs.symbols import array
from proofs.units import FiniteMap, SymbolicUnits

A, W, V, U = (several(name, 2) for name in "awvu")
B, R, P = sympy.symbols("b R p", real=True)


@dataclass(frozen=True)
class Subject:
    """The shipped running moments, and how often each of the two roots is drawn."""

    moments: Callable[[], Moments] = Moments
    variance: Callable[[Any], Any] = lambda moments: moments.variance_of_mean()


@dataclass(frozen=True, eq=False)
class Draws:
    """N independent draws of the root of one unit: along v with probability p, else along u."""

    values: Any
    number: int

    def conditions(self) -> Iterator[Condition]:
        for direction in (V, U):
            n = sum(w * v for w, v in zip(W, direction, strict=True))
            yield never_zero(put(self.values, n), "`w·v ≠ 0` for either direction")

    def steps(self, subject: Subject) -> Iterator[Step]:
        layer = FiniteMap(weight=array([W]), bias=array([B]), in_shape=(2,), out_shape=(1,))
        units = SymbolicUnits(layer, array([A]))
        found = [Linear(Ray(Along(array([v]), 0))).terms(units, Real(), array([[R]])).first[0, 0] for v in (V, U)]
        shares = [made(put(self.values, each)) for each in found]
        p = put(self.values, P)
        chances = (p, 1 - p)
        mean = sum(chance * entries_of(each) for chance, each in zip(chances, shares, strict=True))
        spread = sum(chance * (entries_of(each) - mean) ** 2 for chance, each in zip(chances, shares, strict=True))
        expected, errors, squares = 0, 0, 0
        for drawn in product((0, 1), repeat=self.number):
            moments = subject.moments()
            for n in drawn:
                moments = moments.with_value(shares[n])
            chance = prod(chances[n] for n in drawn)
            average = entries_of(moments.mean)
            yield Step(
                "Σ_j mean", average.sum(), put(self.values, R), "every draw conserves, so does every mean", quiet=True
            )
            expected, squares = expected + chance * average, squares + chance * (average - mean) ** 2
            errors = errors + chance * entries_of(subject.variance(moments))
        yield Step("E mean_j", expected, mean, "the mean over all outcomes is that of the distribution")
        yield Step("E (mean_j - E mean_j)²", squares, spread / self.number, "its variance falls with 1/N")
        yield Step("E s_j²/N", errors, spread / self.number, "what is reported as squared standard error, on average")
        one, other = spread
        yield Step("Var R_1", one, other, "two inputs: what one gains the other loses; the total has variance 0")


def cases() -> Iterator[Case]:
    for seed in range(8):
        values = draw((*A, *W, *V, *U, B, R), seed) | {P: sympy.Rational(seed % 4 + 1, 5)}
        for number in (2, 3, 4):
            yield Case(f"{number} draws, {values}", Draws(values, number), point=True)
    yield Case("2 draws", Draws({}, 2), shown=True, extent="two inputs")


class Centred(Moments):
    """Deviations from the new mean alone."""

    def with_value(self, value: Any) -> Moments:
        found = super().with_value(value)
        return Centred(found.count, found.mean, self.squares + (value - found.mean) ** 2)


plain = Subject()
proof = Proof(
    name="mean_of_draws",
    claim="If N roots are drawn independently, the mean of their explanations has the expectation of the distribution and "
    "`1/N` of its variance, of which `s²/N` is an unbiased estimate; each draw conserves, so that errors of the inputs "
    "cancel in the sum.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("s² divides by N", replace(plain, variance=lambda m: m.squares / m.count**2)),
        Mutant("the variance of one draw", replace(plain, variance=lambda m: m.variance_of_mean() * m.count)),
        Mutant("deviations from the new mean", replace(plain, moments=Centred)),
    ),
    reference="Welford 1962 (the running sums); the mean of independent draws",
    subject=plain,
    cases=cases,
    note="Symbols: two draws between any two directions, with any probability. Points: two to four draws.",
)
