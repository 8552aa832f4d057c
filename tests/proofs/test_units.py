"""The symbolic units mean what the tensor units mean: shipped searches and rules give the same numbers on both."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from dtd.affine import Dense
from dtd.domain import Real
from dtd.plans.rules import catalogue
from dtd.relevance import Linear, TrainingFree
from dtd.root.units import FieldUnits
from proofs.layers import Family
from proofs.tensors import tensor

EXACT = {
    "gamma": {"gamma": Fraction(1, 2)},
    "gamma_signed": {"gamma": Fraction(1, 2)},
    "epsilon": {"epsilon": Fraction(1, 4)},
    "alphabeta": {"alpha": Fraction(2)},
}
RULES = [name for name in catalogue if name not in ("zbox", "pattern")]


def floats(values):
    return torch.tensor(np.array(values, dtype=float), dtype=torch.float64)


def derived(name, mode, convert):
    return catalogue[name].derived(bias=mode, **{key: convert(value) for key, value in EXACT.get(name, {}).items()})


def explicit(name, mode, convert):
    return catalogue[name].explicit(bias=mode, **{key: convert(value) for key, value in EXACT.get(name, {}).items()})


@pytest.mark.parametrize("mode", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("name", RULES)
def test_terms_and_formula_agree_with_the_tensor_code(name, mode):
    for seed in range(4):
        at = Family().point(mode, seed).at
        dense = Dense(weight=floats(at.w), bias=floats(at.b), in_shape=(3,), out_shape=(2,))
        units = FieldUnits(dense, floats(at.input), torch.arange(2))
        for model in (Linear, TrainingFree):
            found = model(derived(name, mode, Fraction)).terms(at.units, at.domain, at.relevance)
            expected = model(derived(name, mode, float)).terms(units, at.domain, floats(at.relevance))
            for part in ("first", "bias", "zeroth", "remainder"):
                exact, approximate = getattr(found, part), getattr(expected, part)
                torch.testing.assert_close(floats(exact + 0 * at.z) if part != "first" else floats(exact), approximate)
        lower, _ = explicit(name, mode, Fraction).propagate(at.map, at.input, at.relevance, Real())
        expected, _ = explicit(name, mode, float).propagate(dense, floats(at.input), floats(at.relevance), Real())
        torch.testing.assert_close(floats(lower), expected)


@pytest.mark.parametrize("name", RULES)
def test_rational_points_stay_rational(name):
    at = Family().point("neuron", 0).at
    terms = Linear(derived(name, "neuron", Fraction)).terms(at.units, at.domain, at.relevance)
    assert all(isinstance(value, (Fraction, int)) for value in terms.first.flat)


def test_inexact_tensors_are_refused():
    with pytest.raises(ValueError, match="does not hold"):
        tensor([Fraction(1, 3)])
