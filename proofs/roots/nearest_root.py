"""The nearest root in a box: inputs that reach their bound stay there, and the others make up for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from dtd.affine import Dense
from dtd.direction import Weights
from dtd.domain import Box, Domain, NonNegative, Real
from dtd.relevance import Linear
from dtd.root import Nearest, Ray, Root, RootStrategy
from dtd.root.base import WeightedRoots
from dtd.root.units import FieldUnits, Units
from proofs.judge import Step, every
from proofs.kernel import Case, Mutant, Proof, never_zero, unconditional
from proofs.layers import ANY, indexed, real
from proofs.symbols import array
from proofs.tensors import fractions, tensor
from proofs.units import GenericMap, SymbolicUnits

Subject = Callable[[FieldUnits, Domain, torch.Tensor], torch.Tensor]


def shipped(units: FieldUnits, domain: Domain, metric: torch.Tensor) -> torch.Tensor:
    """The shipped nearest root."""
    return Nearest(metric).root(units, domain).points(units)


def unbounded(units: FieldUnits, domain: Domain, metric: torch.Tensor) -> torch.Tensor:
    """w² in ℝᵈ: the bounds ignored."""
    return Ray(Weights()).root(units, domain).points(units)


def cut(units: FieldUnits, domain: Domain, metric: torch.Tensor) -> torch.Tensor:
    """The w² root cut off at the bounds: nobody makes up for it."""
    low, high = map(torch.as_tensor, domain.bounds())
    return unbounded(units, domain, metric).clamp(low, high)


def halfway(units: FieldUnits, domain: Domain, metric: torch.Tensor) -> torch.Tensor:
    """The level of a wrong sum: half the way."""
    return (units.activations + shipped(units, domain, metric)) / 2


@dataclass(frozen=True)
class Point:
    """One unit with numbers that floating-point arithmetic holds exactly, its nearest root, and other ones."""

    a: tuple
    w: tuple
    b: int | Fraction
    domain: Domain
    nearest: tuple
    others: tuple
    metric: tuple = (1, 1)

    def steps(self, subject: Subject) -> Iterator[Step]:
        layer = Dense(weight=tensor([self.w]), bias=tensor([self.b]), in_shape=(2,), out_shape=(1,))
        units = FieldUnits(layer, tensor([self.a]), torch.tensor([0]))
        found = fractions(subject(units, self.domain, tensor([self.metric]))).flatten()
        a, w, d = (np.array([Fraction(x) for x in side], dtype=object) for side in (self.a, self.w, self.metric))
        low, high = (Fraction(x) if abs(x) < float("inf") else x for x in map(float, self.domain.bounds()))
        yield Step("z(ã)", (w * found).sum() + self.b, 0, "it is a root")
        yield Step("l ≤ ã ≤ h", every((found >= low) & (found <= high)), True, "in the domain")
        yield Step("ã", found, np.array([Fraction(x) for x in self.nearest], dtype=object), "by hand")
        here = (d**2 * (a - found) ** 2).sum()
        for other in self.others:
            y = np.array([Fraction(x) for x in other], dtype=object)
            yield Step("z(y)", (w * y).sum() + self.b, 0, "another root of the domain")
            yield Step("Σ D² (a - y)²", (d**2 * (a - y) ** 2).sum(), here, "is farther", ">")

    def conditions(self) -> tuple:
        return ()


@dataclass(frozen=True, eq=False)
class At(RootStrategy):
    """A root with a given shift."""

    shift: object

    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        yield 1, Root(self.shift, 0 * units.z, True)


@dataclass(frozen=True)
class AnyInputs:
    """Any number of inputs, and the three things that can happen to one of them."""

    def conditions(self) -> tuple:
        return (never_zero(real("z", positive=True), "the unit is active"),)

    def steps(self, subject: Subject) -> Iterator[Step]:
        a, y, root = (array([[indexed(name)]]) for name in ("a", "y", "u"))
        d, w = array([[indexed("D", positive=True)]]), array([[indexed("w")]])
        layer = GenericMap(weight=w, bias=array([real("b")]))
        total, square = layer.total, lambda x: (d * x) ** 2
        both = total(square(a - root)[:, None]) + total(square(root - y)[:, None])
        mixed = 2 * total((d**2 * (a - root) * (root - y))[:, None])
        yield Step("Σ_j D_j² (a_j - y_j)²", total(square(a - y)[:, None]), both + mixed, "expanded around `ã`")
        level, z = real("lambda", positive=True), real("z", positive=True)
        rest = (d**2 * (a - root) - z * level * w) * (root - y)
        why = "`q_j := (D_j² (a_j - ã_j) - z λ w_j)(ã_j - y_j)`; `Σ w_j (ã_j - y_j) = 0` for two roots"
        split = total(rest[:, None]) + z * level * total((w * (root - y))[:, None])
        yield Step("Σ_j D_j² (a_j - ã_j)(ã_j - y_j)", mixed / 2, split, why)
        yield from self.inputs(z, level)
        shift = real("tau", positive=True) * w / d**2
        terms = Linear(At(shift[:, None])).terms(SymbolicUnits(layer, a), Real(), array([[real("R", positive=True)]]))
        share = real("R", positive=True) * real("tau", positive=True) * w**2 / d**2
        yield Step("R_j", terms.first[0, 0], share[0], "the shipped terms at shift `min(λ, τ_j) w_j/D_j²`: of the sign of R")
        yield Step("R_j", share[0], 0, "for every input", ">=", quiet=True)

    def inputs(self, z, level) -> Iterator[Step]:
        """``q_j ≥ 0`` for a free input, and for one at its lower or its upper bound."""
        d, w, short, inside = (real(name, positive=True) for name in ("D", "w", "e", "d"))
        y = real("y")
        a = real("a")
        free = a - z * level * w / d**2
        yield Step("q_j (free)", (d**2 * (a - free) - z * level * w) * (free - y), 0, "`ã_j = a_j - z λ w_j/D_j²`")
        for side, sign, bound in ((1, "w_j > 0: ã_j = l_j", "l"), (-1, "w_j < 0: ã_j = h_j", "h")):
            at = real(bound)
            moved = z * level * side * w - z * short * side * w  # D² (a − ã): the bound is met at τ = λ − e, before λ
            other = at + side * inside  # any y in the domain
            q = (moved - z * level * side * w) * (at - other)
            yield Step(f"q_j ({sign})", q, z * short * w * inside, "it met its bound at `λ - e`; `y_j` is `d` inside")
            yield Step(f"q_j ({sign})", q, 0, "so no root of the domain is nearer", ">=", quiet=True)


half, eighth = Fraction(1, 2), Fraction(1, 8)
POINTS = (
    Point((1, 3), (1, 1), -1, NonNegative(), (0, 1), ((1, 0), (half, half), (eighth, 7 * eighth))),
    Point((1, 2), (1, -1), 2, NonNegative(), (half, 5 * half), ((0, 2), (1, 3))),
    Point((eighth, half), (1, -1), 7 * eighth, Box(0.0, 1.0), (0, 7 * eighth), ((eighth, 1), (eighth / 2, 15 * eighth / 2))),
    Point((2, 2), (1, 1), -6, Box(0.0, 4.0), (3, 3), ((4, 2), (2, 4))),
    Point((1, 2), (1, 1), -1, Real(), (0, 1), ((1, 0), (-1, 2))),
    Point((2, 2), (1, 2), -2, Real(), (0, 1), ((2, 0), (1, half)), metric=(1, 2)),
)


def cases() -> Iterator[Case]:
    for point in POINTS:
        yield Case(f"a={point.a} w={point.w} b={point.b} in {point.domain}", point, point=True)
    yield Case("any number of inputs", AnyInputs(), shown=True, extent=ANY)


proof = Proof(
    name="nearest_root",
    claim="With `ã_j = a_j - z min(λ, τ_j) w_j/D_j²`, `τ_j` where the input meets its bound and `λ` such that `z(ã) = 0`, "
    "no root of the domain is nearer in `‖D (a - ã)‖`; without bounds and `D = 1` it is the root of `w²`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: unconditional(at) if isinstance(at, Point) else at.conditions(),
    mutants=(
        Mutant("the bounds ignored: `w²`", unbounded),
        Mutant("`w²` cut off at the bounds", cut),
        Mutant("half the way", halfway),
    ),
    reference="Boyd 2004, Sec. 5.5.3 (Karush-Kuhn-Tucker conditions)",
    subject=shipped,
    cases=cases,
    note="In the sums `u` is `ã`. `e, d ≥ 0`: how much earlier an input meets its bound, and how far inside `y` is.",
)
