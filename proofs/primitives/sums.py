"""What the proofs of sums and averages share: one unit that weighs all its inputs alike, under LRP-0."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from dtd.direction import Activations, Weights
from dtd.domain import Real
from dtd.lrp import LRPFlat, LRPZero
from dtd.relevance import Linear
from dtd.root import Ray
from proofs.formula import safe_inverse
from proofs.judge import Step
from proofs.kernel import Case, Mutant, never_zero
from proofs.layers import ANY, Family, Setting, indexed, real
from proofs.symbols import array
from proofs.units import FiniteMap, GenericMap


@dataclass(frozen=True)
class Subject:
    """The derived and the explicit rule for a layer without weights of its own."""

    derived: Any = Linear(Ray(Activations()))  # noqa: RUF009 - frozen
    explicit: Any = LRPZero()  # noqa: RUF009


MUTANTS = (
    Mutant("derived along `w`: shared evenly", Subject(derived=Linear(Ray(Weights())))),
    Mutant("derived, stopped before the root", Subject(derived=Linear(Ray(Activations(), damping=1)))),
    Mutant("explicit: shared evenly", Subject(explicit=LRPFlat())),
)


@dataclass(frozen=True)
class Symbolic:
    """Any number of inputs, each with the weight ``weight``."""

    at: Setting

    def steps(self, subject: Subject) -> Iterator[Step]:
        at = self.at
        total = at.total(at.a)
        share = (at.relevance * safe_inverse(total))[..., None] * at.a
        terms = subject.derived.terms(at.units, at.domain, at.relevance)
        lower, _ = subject.explicit.propagate(at.map, at.input, at.relevance, at.domain)
        yield Step("R_i", terms.first, share, "LRP-0's root on the layer, the default for it")
        yield Step("Σ_i R_i", at.total(terms.first), at.relevance, "conservation: it has no bias")
        yield Step("R_i", lower, at.map.collect(share), "the explicit rule")

    def conditions(self) -> tuple:
        return (never_zero(self.at.total(self.at.a), "the sum is not 0"),)


@dataclass(frozen=True)
class Tensors:
    """The shipped tensor code at an exact point."""

    found: Callable[[], Any]
    expected: Sequence
    what: str

    def steps(self, subject: Any) -> Iterator[Step]:
        yield Step("R_i", self.found(), np.array(self.expected, dtype=object), self.what)

    def conditions(self) -> tuple:
        return ()


def tensors(found: Callable[[], Any], expected: Sequence, what: str) -> Case:
    """A point at which the shipped tensor code runs."""
    return Case("shipped tensors", Tensors(found, expected, what), point=True)


def symbolic_cases(weight: Callable[[sympy.Expr], Any], points: int = 8) -> Iterator[Case]:
    """Rational points, then any number of inputs; ``weight(J)`` is the weight of each."""
    for seed in range(points):
        drawn = Family(Real()).point("fixed", seed, inputs=4, units=1).at
        w = drawn.w * 0 + Fraction(str(weight(4)))
        layer = FiniteMap(weight=w, bias=drawn.b * 0, in_shape=(4,), out_shape=(1,))
        yield Case(f"point {seed}", Symbolic(Setting(layer, drawn.input, drawn.relevance, Real())), point=True)
    generic = GenericMap(weight=array([[weight(sympy.Symbol("J", integer=True, positive=True))]]), bias=array([0]))
    setting = Setting(generic, array([[indexed("a")]]), array([[real("R")]]), Real())
    yield Case("any number of inputs", Symbolic(setting), shown=True, extent=ANY)
