"""Forward, divide, backward, multiply: the four-step procedure is the sum of the Taylor terms over the units."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from dtd.algebra import divide
from dtd.direction import Direction, Factor, Given
from dtd.domain import Domain, Real
from dtd.lrp import four_steps
from dtd.relevance import Linear
from dtd.root import Bias, Ray
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.layers import Setting, indexed
from proofs.symbols import array
from proofs.units import FiniteMap, GenericMap, j, k


@dataclass(frozen=True, eq=False)
class TwoPairs(Direction):
    """Any direction made of two factor pairs, ``v_kj = u_j d_kj + x_j e_kj``."""

    pairs: tuple
    v0: object

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return tuple(Factor(Given(u), Given(d)) for u, d in self.pairs)

    def bias(self, b: Any) -> Any:
        return self.v0


def steps(at, procedure):
    pairs, v0 = at.parameters["pairs"], at.parameters["v0"]
    modified = [(u, at.w * d) for u, d in pairs]
    of_bias = 0 * at.b if at.bias_mode == "fixed" else at.b * v0
    lower, share = procedure(at.map, modified, of_bias, at.relevance)
    terms = Linear(Ray(TwoPairs(pairs, v0), at.bias_mode)).terms(at.units, at.domain, at.relevance)
    contributions = at.w * sum(u[:, None, :] * d for u, d in pairs)
    s = divide(at.relevance, at.total(contributions) + of_bias)
    yield Step("R_j", lower, at.map.collect(s[..., None] * contributions), "four_steps, as a sum over the units")
    why = "the Taylor terms along `v_j = u_j d_kj + x_j e_kj`, summed over the units"
    yield Step("Σ_k R_j←k", at.map.collect(terms.first), lower, why, reads="R_j")
    yield Step("R_bias←k", terms.bias, share, "the bias neuron's share")


def symbolic(mode: Bias) -> Setting:
    """Any number of inputs and of units."""
    w, d, e = (array([[indexed(name, (k, j))]]) for name in "wde")
    u, x, a = (array([[indexed(name)]]) for name in "uxa")
    b, v0, relevance = (array([indexed(name, k)]) for name in "bvR")
    layer = GenericMap(weight=w, bias=b, many=True)
    return Setting(layer, a, relevance[None], Real(), mode, {"pairs": ((u, d), (x, e)), "v0": v0})


def numeric(mode: Bias, seed: int, inputs: int = 3, units: int = 3) -> Setting:
    """Rational numbers."""
    draw = Random(f"{mode} {seed}")

    def numbers(*shape):
        values = [Fraction(draw.randint(-5, 5), draw.choice((1, 2, 3))) for _ in range(int(np.prod(shape)))]
        return np.array(values, dtype=object).reshape(shape)

    layer = FiniteMap(weight=numbers(units, inputs), bias=numbers(units), in_shape=(inputs,), out_shape=(units,))
    pairs = tuple((numbers(1, inputs), numbers(units, inputs)) for _ in range(2))
    return Setting(layer, numbers(1, inputs), numbers(1, units), Real(), mode, {"pairs": pairs, "v0": numbers(units)})


def cases() -> Iterator[Case]:
    for mode in ("fixed", "neuron"):
        for seed in range(10):
            yield Case(f"point {seed}, bias {mode}", numeric(mode, seed), point=True)
        yield Case(f"any J and K, bias {mode}", symbolic(mode), shown=True, extent="any J and K")


def no_division(affine, pairs, bias, relevance, epsilon=0):
    """The division is left out."""
    return sum(x * affine.transpose(relevance, w) for x, w in pairs), relevance * bias


def no_multiplication(affine, pairs, bias, relevance, epsilon=0):
    """The multiplication by the inputs is left out."""
    s = divide(relevance, bias + sum(affine.linear(x, w) for x, w in pairs))
    return sum(affine.transpose(s, w) for _, w in pairs), s * bias


def bias_left_out(affine, pairs, bias, relevance, epsilon=0):
    """The bias is missing from the forward step."""
    return four_steps(affine, pairs, 0 * bias, relevance)


proof = Proof(
    name="four_steps",
    claim="Forward, divide, backward, multiply gives the sum over the units of the first-order Taylor terms, for every "
    "direction made of factor pairs, any number of inputs and of units.",
    steps=steps,
    conditions=unconditional,
    mutants=(
        Mutant("no division", no_division),
        Mutant("no multiplication", no_multiplication),
        Mutant("the bias missing from the forward step", bias_left_out),
    ),
    reference="Montavon 2019, Sec. 10.2.2",
    subject=four_steps,
    cases=cases,
)
