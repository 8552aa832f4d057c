"""Verdicts: proved, refuted with a point, undecided, and surviving mutants."""

import pytest
import sympy

from proofs.judge import PROVED, REFUTED, UNDECIDED, Condition, Failure, Step, judge
from proofs.kernel import Case, Mutant, Proof, never_zero, unconditional
from proofs.reduce import Reduction

X, Y = sympy.symbols("x y", real=True)


def cases():
    """Three points, then symbols."""
    for x in (-1, 0, 2):
        yield Case(f"x={x}", (sympy.Integer(x), sympy.Integer(3)), point=True)
    yield Case("any", (X, Y), shown=True)


def proof(steps, subject=2, conditions=unconditional, mutants=(3, -2), cases=cases):
    return Proof(
        name="square",
        claim="(x + y)² = x² + 2xy + y²",
        steps=steps,
        conditions=conditions,
        mutants=tuple(Mutant(f"{m} for 2", m) for m in mutants),
        reference="",
        subject=subject,
        cases=cases,
    )


def square(at, factor):
    x, y = at
    yield Step("(x + y)²", (x + y) ** 2, x**2 + factor * x * y + y**2, "binomial")


def test_proved_with_every_mutant_killed():
    result = proof(square).check()
    assert result.verdict == PROVED and result.ok
    assert set(result.killed) == {"3 for 2", "-2 for 2"}
    assert "x=-1" in str(result.killed["3 for 2"])
    assert (result.steps, result.points) == (4, 3)


def test_refuted_with_the_point():
    result = proof(square, subject=5).check()
    assert result.verdict == REFUTED and not result.ok
    assert "x=-1" in str(result.failures[0]) and "required = 0" in str(result.failures[0])


def test_undecided_where_only_symbols_fail():
    def steps(at, factor):
        x, _ = at
        yield Step("hidden", x * (x + 1) * (x - 2), 0 * x if x == X or factor == 2 else x + 7, "true at the points only")

    result = proof(steps).check()
    assert result.verdict == UNDECIDED and not result.ok


def test_a_surviving_mutant_is_reported():
    result = proof(square, mutants=(3, 2)).check()
    assert result.verdict == PROVED and result.survivors == ("2 for 2",) and not result.ok


def test_at_least_two_mutants():
    with pytest.raises(ValueError, match="at least two mutants"):
        proof(square, mutants=(3,))


def test_a_denominator_needs_a_condition():
    def steps(at, factor):
        x, y = at
        yield Step("y/(x+4)", y / (x + 4), (factor - 1) * y / (x + 4), "needs x + 4 != 0")

    assert proof(steps).check().verdict == UNDECIDED
    held = proof(steps, conditions=lambda at: (never_zero(at[0] + 4, "x + 4 is not 0"),)).check()
    assert held.verdict == PROVED


def test_points_that_violate_the_conditions_do_not_count():
    positive = proof(square, conditions=lambda at: (Condition(at[0], ">", "x > 0"),)).check()
    assert positive.points == 1


@pytest.mark.parametrize("kept", [slice(0, 3), slice(3, 4)], ids=["points only", "symbols only"])
def test_points_and_symbols_are_both_needed(kept):
    result = proof(square, cases=lambda: list(cases())[kept]).check()
    assert result.verdict == UNDECIDED


def test_vacuous_cases_prove_nothing():
    result = proof(square, conditions=lambda at: (never_zero(at[0] - at[0], "impossible"),)).check()
    assert result.verdict == UNDECIDED and result.steps == 0


P = sympy.Symbol("p", positive=True)


@pytest.mark.parametrize(
    ("left", "relation", "right", "verdict"),
    [
        (P, ">", 0, None),
        (P, ">=", 0, None),
        (P, "!=", 0, None),
        (P, "<", 0, UNDECIDED),
        (X**2, ">=", 0, None),
        (X, ">=", 0, UNDECIDED),
        (sympy.Integer(-1), ">=", 0, REFUTED),
        (P > 0, "=", True, None),
        (sympy.And(P > 0, X > 0), "=", True, UNDECIDED),
        (sympy.And(P < 0, X > 0), "=", False, None),
        (sympy.Ne(P + 1, 0), "=", False, REFUTED),
        (True, "=", False, REFUTED),
    ],
)
def test_relations(left, relation, right, verdict):
    failure = judge(Step("", left, right, "", relation), left, right, Reduction(), "case")
    assert (failure.verdict if isinstance(failure, Failure) else failure) == verdict
