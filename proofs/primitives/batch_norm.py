"""Batch norm in evaluation mode folds into the layer before it: an affine map followed by a scale and a shift."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from torch import nn

import dtd
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.points import draw, put, several
from proofs.symbols import array
from proofs.tensors import fractions, tensor
from proofs.units import FiniteMap

W, B, A = several("w", 4), several("b", 2), several("a", 2)
MEAN, SHIFT, GAIN = several("mu", 2), several("beta", 2), several("gamma", 2)
ROOT, EPS = several("s", 2, positive=True), sympy.Symbol("epsilon", positive=True)
VARIANCE = tuple(s**2 - EPS for s in ROOT)  # so that √(σ² + ε) = s is rational at rational points


def scale(gain, variance, eps):
    """``γ / √(σ² + ε)``."""
    return gain / sympy.sqrt(variance + eps)


def shift(mean, bias, scaled):
    """``β − μ γ / √(σ² + ε)``."""
    return bias - mean * scaled


@dataclass(frozen=True)
class Folding:
    """The scale and shift that batch norm folds into."""

    scale: Callable = scale
    shift: Callable = shift


@dataclass(frozen=True)
class Symbols:
    """Two channels, any weights and statistics."""

    values: dict

    def steps(self, folding: Folding) -> Iterator[Step]:
        value = lambda e: put(self.values, e)  # noqa: E731
        layer = FiniteMap(weight=value(array(W).reshape(2, 2)), bias=value(array(B)), in_shape=(2,), out_shape=(2,))
        scales = [folding.scale(g, v, EPS) for g, v in zip(GAIN, VARIANCE, strict=True)]
        shifts = [folding.shift(m, b, s) for m, b, s in zip(MEAN, SHIFT, scales, strict=True)]
        folded = layer.scaled(value(array(scales)), value(array(shifts)))
        a = value(array([A]))
        centred = (layer.apply(a) - value(array(MEAN))) / value(array([sympy.sqrt(v + EPS) for v in VARIANCE]))
        normed = centred * value(array(GAIN)) + value(array(SHIFT))
        yield Step("z_k", folded.apply(a), normed, "AffineMap.scaled is the layer followed by batch norm")


@dataclass(frozen=True)
class Traced:
    """The shipped trace and fold, with statistics for which float64 is exact."""

    def steps(self, folding: Folding) -> Iterator[Step]:
        module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, eps=0.25)).double().eval()
        numbers: dict[str, Any] = {
            "0.weight": [[1, -2], [3, 0.5]],
            "0.bias": [0.5, -1],
            "1.weight": [2, -3],
            "1.bias": [0.25, 4],
            "1.running_mean": [1.5, -2],
            "1.running_var": [3.75, 0],
        }
        module.load_state_dict(module.state_dict() | {name: tensor(values) for name, values in numbers.items()})
        layer = dtd.trace(module, tensor([[1, 2]])).layers[0].op
        of = {name: np.array(values, dtype=object) for name, values in numbers.items()}
        exact = {name: np.frompyfunc(lambda x: sympy.Rational(str(x)), 1, 1)(values) for name, values in of.items()}
        quarter = sympy.Rational(1, 4)
        statistics = zip(exact["1.weight"], exact["1.running_var"], strict=True)
        scales = np.array([folding.scale(gain, variance, quarter) for gain, variance in statistics], dtype=object)
        shifts = folding.shift(exact["1.running_mean"], exact["1.bias"], scales)
        yield Step("W", fractions(layer.weight), exact["0.weight"] * scales[:, None], "the folded weight, traced and merged")
        yield Step("b", fractions(layer.bias), exact["0.bias"] * scales + shifts, "the folded bias")


def cases() -> Iterator[Case]:
    symbols = (*W, *B, *A, *MEAN, *SHIFT, *GAIN, *ROOT, EPS)
    for seed in range(8):
        yield Case(f"point {seed}", Symbols(draw(symbols, seed)), point=True)
    yield Case("any statistics", Symbols({}), shown=True, extent="two units")
    yield Case("shipped tensors", Traced(), point=True)


proof = Proof(
    name="batch_norm",
    claim="`γ (W a + b - μ)/√(σ² + ε) + β` is the affine map whose weight and bias are scaled by "
    "`γ/√(σ² + ε)`, with `β - μ γ/√(σ² + ε)` added to the bias.",
    steps=lambda at, folding: at.steps(folding),
    conditions=unconditional,
    mutants=(
        Mutant("var**2 for var", replace(Folding(), scale=lambda gain, variance, eps: scale(gain, variance**2, eps))),
        Mutant("no square root", replace(Folding(), scale=lambda gain, variance, eps: gain / (variance + eps))),
        Mutant("the mean is not scaled", replace(Folding(), shift=lambda mean, bias, scaled: bias - mean)),
    ),
    reference="Ioffe & Szegedy 2015, Alg. 2",
    subject=Folding(),
    cases=cases,
)
