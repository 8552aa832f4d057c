"""Average pooling: each input of a window gets its share of the window's sum."""

from fractions import Fraction

import sympy
from torch import nn

from proofs.kernel import Proof
from proofs.primitives.sums import MUTANTS, Subject, symbolic_cases, tensors
from proofs.tensors import explained


def shipped():
    """Windows of two, through dtd.trace and dtd.explain; every sum is a power of 2."""
    x, relevance = [[[3, 5, 7, -3]]], [[[16, 12]]]
    expected = [[[Fraction(3, 8) * 16, Fraction(5, 8) * 16, Fraction(7, 4) * 12, Fraction(-3, 4) * 12]]]
    return tensors(lambda: explained(nn.AvgPool1d(2), x, relevance), expected, "WindowSum, traced and explained")


def cases():
    yield from symbolic_cases(lambda count: sympy.S.One / count)
    yield shipped()


proof = Proof(
    name="average_pooling",
    claim="Average pooling is affine with equal weights `1/J`, which cancel: its LRP-0 root gives each input "
    "`a_i / Σ_l a_l` of `R`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=MUTANTS,
    reference="Montavon 2019, Sec. 10.2.1 (LRP-0 on a layer with weights `1/J`)",
    subject=Subject(),
    cases=cases,
)
