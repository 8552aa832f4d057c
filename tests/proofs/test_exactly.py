"""Tensors of exact entries: torch's operators by their definitions, with fractions and with symbols."""

from fractions import Fraction

import pytest
import sympy
import torch
from torch.nn import functional as F

from dtd.affine import Convolution
from dtd.fast.kernels import Change
from dtd.fast.kernels.subpixel import PhasedConvolution
from proofs.exactly import entries_of, made
from proofs.reduce import Reduction

pytestmark = pytest.mark.usefixtures("no_grad")


@pytest.fixture
def no_grad():
    with torch.no_grad():
        yield


def numbers(*shape: int) -> torch.Tensor:
    """Eighths, which float64 adds and multiplies exactly."""
    return torch.randint(-8, 9, shape, generator=torch.Generator().manual_seed(0)).double() / 8


def same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return entries_of(found).tolist() == entries_of(expected).tolist()


def test_entries_stay_exact():
    assert entries_of(made([1, 2]) / 3).tolist() == [Fraction(1, 3), Fraction(2, 3)]
    assert entries_of(made([1.5]) * 0.1).tolist() == [Fraction(3, 2) * Fraction(0.1)]


def test_what_is_divided_by_zero_is_no_number_until_it_is_masked():
    found, zero = made([1, 1]) / made([0, 2]), made([0, 2]) == 0
    assert entries_of(found)[0] != entries_of(found)[0]
    assert entries_of(found.masked_fill(zero, 0)).tolist() == [0, Fraction(1, 2)]


def test_an_operator_without_a_reading_raises():
    with pytest.raises(NotImplementedError, match="has no exact reading"):
        made([1]).exp()


def test_an_open_question_is_answered_with_no():
    x, p = sympy.Symbol("x", real=True), sympy.Symbol("p", positive=True)
    assert not bool((made([x]) >= 0).all()) and bool((made([p, 1]) >= 0).all())
    (positive,) = entries_of(made([x]).clamp(min=0))
    assert Reduction(where={x: -p}).normal(positive) == 0 and Reduction(where={x: p}).normal(positive) == p


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1), (3, 1, 1, 1)]
)
def test_convolutions_are_those_of_torch(stride, padding, dilation, groups):
    a, w, bias = numbers(2, 4, 9), numbers(6, 4 // groups, 3), numbers(6)
    options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    z = F.conv1d(a, w, bias, **options)
    assert same(F.conv1d(made(a), made(w), made(bias), **options), z)
    back = F.conv_transpose1d(z, w, None, **options)
    assert same(F.conv_transpose1d(made(z), made(w), None, **options), back)


def test_the_adjoint_by_phases_is_the_definition_on_symbols():
    """A 3 × 3 convolution of stride 2 with padding: the same polynomial, for any weights and relevance."""
    symbols = [sympy.Symbol(f"w{i}") for i in range(9)], [sympy.Symbol(f"s{i}") for i in range(9)]
    weight, s = (made(part).view(1, 1, 3, 3) for part in symbols)
    shapes = dict(in_shape=(1, 5, 5), out_shape=(1, 3, 3), stride=(2, 2), dilation=(1, 1), padding=((1, 1), (1, 1)))
    affine = Convolution(weight=weight, bias=None, **shapes)
    assert PhasedConvolution.suits(affine)
    by_phases, by_definition = PhasedConvolution(affine).transpose(s, weight), affine.transpose(s, weight)
    assert all(
        sympy.expand(x - y) == 0 for x, y in zip(entries_of(by_phases).flat, entries_of(by_definition).flat, strict=True)
    )
    assert any(sympy.sympify(x) != 0 for x in entries_of(by_phases).flat)


def test_modified_weights_in_one_pass():
    w = numbers(3, 4)
    found = Change(lambda _: None, None, (2.0, 1.0))(made(w), None)
    assert same(found, 2 * w.clamp(min=0) + w.clamp(max=0))
