"""A residual sum: each branch gets its share of the sum, under LRP-0, its default."""

from fractions import Fraction

from proofs.kernel import Proof
from proofs.primitives.sums import MUTANTS, Subject, symbolic_cases, tensors
from proofs.tensors import Function, explained


def shipped():
    """Two branches, cut from one input, through dtd.trace and dtd.explain; every sum is a power of 2."""
    x, relevance = [[3, 7, 5, -3]], [[16, 12]]
    expected = [[Fraction(3, 8) * 16, Fraction(7, 4) * 12, Fraction(5, 8) * 16, Fraction(-3, 4) * 12]]
    branches = Function(lambda a: a[:, :2] + a[:, 2:])
    return tensors(lambda: explained(branches, x, relevance), expected, "StackSum, traced and explained")


def cases():
    yield from symbolic_cases(lambda count: 1)
    yield shipped()


proof = Proof(
    name="residual_sum",
    claim="A sum of branches is an affine map of its arguments; its LRP-0 root gives each branch `a_i / Σ_l a_l` of `R`, "
    "and nothing is left over.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=MUTANTS,
    reference="Montavon 2019, Sec. 10.2.1 (LRP-0 on a layer with weights 1)",
    subject=Subject(),
    cases=cases,
)
