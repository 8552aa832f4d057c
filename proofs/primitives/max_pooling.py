"""Max pooling: in its linear region the maximum is the winner, which takes all."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy
from torch import nn

from dtd.direction import Activations
from dtd.domain import Real
from dtd.relevance import Linear
from dtd.root import Ray
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero, unconditional
from proofs.points import draw, put
from proofs.primitives.sums import Tensors, tensors
from proofs.symbols import array
from proofs.tensors import explained
from proofs.units import FiniteMap, SymbolicUnits

BEST = sympy.Symbol("m", real=True)
GAPS = sympy.symbols("d1 d2", positive=True)
T, R = sympy.Symbol("t", positive=True), sympy.Symbol("R", real=True)
INPUTS = (BEST - GAPS[0], BEST, BEST - GAPS[1])
WINNER = (0, 1, 0)


@dataclass(frozen=True)
class Symbols:
    """Three inputs, the second of which wins."""

    values: dict

    def steps(self, share: Callable) -> list[Step]:
        value = lambda e: put(self.values, e)  # noqa: E731
        weight, a = array([[sympy.sympify(w) for w in share()]]), array([list(INPUTS)])
        layer = FiniteMap(weight=value(weight), bias=array([sympy.S.Zero]), in_shape=(3,), out_shape=(1,))
        units = SymbolicUnits(layer, value(a))
        first = Linear(Ray(Activations())).terms(units, Real(), array([[value(R)]])).first
        points = Ray(Activations()).root(units, Real()).points(units)
        largest, smaller = sympy.Max(*INPUTS), sympy.Max(*(T * x for x in INPUTS))
        return [
            Step("max_i a_i", value(largest), units.z, "in the region where input 2 wins, the maximum is that input"),
            Step(
                "max_i (t a_i)",
                value(smaller),
                value(T) * units.z,
                "the ray to 0 stays in the region",
            ),
            Step("ã_i", points, 0, "the shipped root along `a` is the origin, in the closure of the region"),
            Step("R_i", first[0, 0], value(R) * value(array([sympy.sympify(w) for w in WINNER])), "the winner takes all"),
        ]

    def conditions(self) -> tuple:
        return (never_zero(put(self.values, BEST), "the maximum is not 0"),)


def cases():
    for seed in range(8):
        values = draw((BEST, *GAPS, T, R), seed)
        yield Case(f"point {values}", Symbols(values), point=True)
    yield Case("three inputs", Symbols({}), shown=True, extent="three inputs")
    x, relevance = [[[3, 5, 7, -3]]], [[[16, 12]]]
    expected = [[[Fraction(0), Fraction(16), Fraction(12), Fraction(0)]]]
    yield tensors(lambda: explained(nn.MaxPool1d(2), x, relevance), expected, "MaxPool, traced and explained")


proof = Proof(
    name="max_pooling",
    claim="In its linear region max pooling is the identity on the winner; its LRP-0 root is the origin, in the closure "
    "of the region, and the winner takes all.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: unconditional(at) if isinstance(at, Tensors) else at.conditions(),
    mutants=(
        Mutant("shared evenly", lambda: (sympy.Rational(1, 3),) * 3),
        Mutant("the first input takes all", lambda: (1, 0, 0)),
    ),
    reference="Bach 2015, on max pooling",
    subject=lambda: WINNER,
    cases=cases,
)
