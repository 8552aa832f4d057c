"""LayerNorm with the scale held constant: an affine layer under LRP-0, whose scale and gain cancel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy
from torch import nn

from dtd.direction import Activations
from dtd.domain import Real
from dtd.lrp import LRPZero
from dtd.relevance import Linear
from dtd.root import Ray
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.sums import Tensors, tensors
from proofs.symbols import array
from proofs.tensors import explained
from proofs.units import FiniteMap, SymbolicUnits

SIZE = 3
X, UPPER = several("x", SIZE), several("R", SIZE)
GAIN, SHIFT = several("g", SIZE, nonzero=True, real=True), several("beta", SIZE)
SIGMA = sympy.Symbol("sigma", positive=True)
MEAN = sum(X) / sympy.Integer(SIZE)
VARIANCE = sum((x - MEAN) ** 2 for x in X) / SIZE


@dataclass(frozen=True)
class Centred:
    """The matrix of the affine layer: ``g_k (1[k = j] − 1/J) / σ``."""

    weight: Callable = lambda k, j: GAIN[k] * (sympy.Integer(k == j) - sympy.Rational(1, SIZE)) / SIGMA
    rule: Callable = LRPZero


def conditions(values):
    if isinstance(values, Tensors):
        return values.conditions()
    apart = tuple(never_zero(put(values, x - MEAN), "no input equals the mean") for x in X)
    return (*apart, never_zero(put(values, VARIANCE), "the inputs are not all equal"))


def steps(values, subject) -> Iterator[Step]:
    if isinstance(values, Tensors):
        yield from values.steps(subject)
        return

    def at(e):
        return put(values, e)

    weight = array([[subject.weight(k, j) for j in range(SIZE)] for k in range(SIZE)])
    layer = FiniteMap(weight=at(weight), bias=at(array(SHIFT)), in_shape=(SIZE,), out_shape=(SIZE,))
    x, relevance = at(array([X])), at(array([UPPER]))
    normed = [(x_k - MEAN) / SIGMA * g + b for x_k, g, b in zip(X, GAIN, SHIFT, strict=True)]
    yield Step("y_k", layer.apply(x)[0], at(array(normed)), "with `σ` constant, LayerNorm is the affine layer")
    shares = [
        sum(X[j] * (sympy.Integer(k == j) - sympy.Rational(1, SIZE)) / (X[k] - MEAN) * UPPER[k] for k in range(SIZE))
        for j in range(SIZE)
    ]
    units = SymbolicUnits(layer, x)
    terms = Linear(Ray(Activations())).terms(units, Real(), relevance)
    lower, _ = subject.rule().propagate(layer, x, relevance, Real())
    handed = layer.collect(terms.first)[0]
    for j in range(SIZE):
        why = "LRP-0's root, bias fixed: `σ` and `g` cancel"
        yield Step(f"R_{j + 1}", handed[j], at(shares[j]), why, quiet=j > 0)
    yield Step("R_j", lower[0], at(array(shares)), "the explicit rule", reads="Σ_k x_j (1[k = j] - 1/J)/(x_k - μ) R_k")
    yield Step("Σ_j R_j", lower.sum(), relevance.sum(), "conservation")
    squares = [(x_k - MEAN) ** 2 / VARIANCE for x_k in X]
    moving = [sum(x_j * sympy.diff(square, x_j) for x_j in X) for square in squares]
    why = "with `σ(x)` moving along, `y` keeps its value along `x`: gradient times input would pass nothing"
    yield Step("Σ_j x_j ∂(y_k - β_k)²/∂x_j", at(array(moving)), 0, why)


def off_centre(k, j):
    """The mean left out."""
    return GAIN[k] * sympy.Integer(k == j) / SIGMA


def twice(k, j):
    """The mean subtracted twice."""
    return GAIN[k] * (sympy.Integer(k == j) - sympy.Rational(2, SIZE)) / SIGMA


def cases() -> Iterator[Case]:
    yield from at_points((*X, *UPPER, *GAIN, *SHIFT, SIGMA), "three inputs", points=10)
    found = lambda: explained(nn.LayerNorm(3), [[1, 2, 6]], [[2, 2, 18]])  # noqa: E731 - s = (-1, -2, 6), its mean is 1
    yield tensors(found, [[-2, -6, 30]], "LayerNorm, traced and explained: `x_j (s_j - mean s)` with `s_k = R_k/(x_k - μ)`")
    yield tensors(lambda: explained(nn.RMSNorm(2), [[1, 3]], [[2, 5]]), [[2, 5]], "RMSNorm: one input, relevance passes")


proof = Proof(
    name="layer_norm",
    claim="With its scale held constant LayerNorm is an affine layer; under LRP-0 with fixed bias scale and gain cancel, "
    "and it conserves. With the scale moving along, gradient times input would pass nothing.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the mean left out", replace(Centred(), weight=off_centre)),
        Mutant("the mean subtracted twice", replace(Centred(), weight=twice)),
        Mutant("the bias takes a share", replace(Centred(), rule=lambda: LRPZero(bias="neuron"))),
    ),
    reference="Ali 2022, on LayerNorm with constant scale",
    subject=Centred(),
    cases=cases,
    note="Three inputs.",
)
