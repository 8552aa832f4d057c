"""The zero test: what reduces to zero is zero, and only that."""

from fractions import Fraction

import pytest
import sympy

from dtd import algebra
from proofs.reduce import Reduction, exact
from proofs.symbols import Indicator, Reciprocal
from proofs.units import J, i, j

W = sympy.IndexedBase("w", real=True)
A = sympy.IndexedBase("a", nonnegative=True)
X, Y = sympy.symbols("x y", real=True)
P = sympy.Symbol("p", positive=True)
VALUES = [sympy.Rational(n, 2) for n in (-3, -1, 0, 1, 3)]


def zero(expression, **assumptions) -> bool:
    reduction = Reduction(**assumptions)
    return reduction.value(reduction.normal(exact(expression))) == 0


def total(summand):
    return sympy.Sum(summand, (i, 1, J))


IDENTITIES = [
    algebra.positive(X) + algebra.negative(X) - X,
    algebra.positive(X) * algebra.negative(X),
    algebra.step(X) * algebra.step(-X),
    algebra.step(X) ** 2 - algebra.step(X),
    X * algebra.sign(X) - algebra.positive(X) + algebra.negative(X),
    X * algebra.reciprocal(X) - algebra.nonzero(X),
    X**2 * algebra.reciprocal(X) - X,
    algebra.step(X * Y) - algebra.step(X) * algebra.step(Y) - algebra.step(-X) * algebra.step(-Y),
    algebra.positive(X * Y) - algebra.positive(X) * algebra.positive(Y) - algebra.negative(X) * algebra.negative(Y),
    algebra.step(P * X) - algebra.step(X),
    algebra.step(X**2) - algebra.nonzero(X),
    algebra.nonzero(X * Y) - algebra.nonzero(X) * algebra.nonzero(Y),
    algebra.divide(X, X * Y) - algebra.nonzero(X) * algebra.reciprocal(Y),
]


@pytest.mark.parametrize("identity", IDENTITIES, ids=str)
def test_identity(identity):
    assert zero(identity)
    for x in VALUES:
        for y in VALUES:
            assert identity.subs({X: x, Y: y, P: 2}) == 0


@pytest.mark.parametrize("identity", IDENTITIES, ids=str)
def test_a_changed_identity_is_not_zero(identity):
    assert not zero(identity + sympy.Rational(1, 7) * X)
    assert not zero(identity + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        algebra.positive(X) - X,
        algebra.step(X) + algebra.step(-X) - 1,
        algebra.positive(X + Y) - algebra.positive(X) - algebra.positive(Y),
        X * algebra.reciprocal(X) - 1,
        algebra.sign(X) - algebra.step(X) + algebra.step(-X),
        abs(X) - X,
    ],
    ids=str,
)
def test_false_identities_are_not_zero(wrong):
    assert not zero(wrong)


def test_sums_for_any_number_of_inputs():
    assert zero(total(A[i] * (W[i] + 2 * algebra.positive(W[i]))) - total(A[i] * W[i] * (1 + 2 * algebra.step(W[i]))))
    assert zero(total(X * W[i] + 1) - X * total(W[i]) - J)
    assert zero(total(W[i]) - sympy.Sum(W[j], (j, 1, J)))
    assert zero(sympy.Sum(W[i], (i, 1, J + 1)) - total(W[i]) - W[J + 1])
    assert not zero(total(W[i] ** 2) - total(W[i]) ** 2)
    assert not zero(total(algebra.positive(W[i])) - total(W[i]))


def test_conditions_turn_reciprocals_into_quotients():
    n = total(W[i])
    assert not zero(n * Reciprocal(n) - 1)
    assert zero(n * Reciprocal(n) - 1, nonzero=(n,))
    assert zero(Indicator(n) - 1, positive=(n,))
    assert zero(Indicator(-n), positive=(n,))
    assert zero(Indicator(X) - 1, positive=(X * P,))


def test_undischarged_denominators_are_named():
    reduction = Reduction()
    assert reduction.undischarged(reduction.normal(1 / (X + Y))) == {X + Y}
    assert reduction.undischarged(reduction.normal(1 / X)) == {X}
    assert reduction.undischarged(reduction.normal(1 / (P + 1))) == set()
    assert Reduction(nonzero=(X * (X + Y),)).undischarged(reduction.normal(1 / (X + Y))) == set()


def test_an_impossible_condition_is_vacuous():
    assert Reduction(nonzero=(X - X,)).vacuous
    assert not Reduction(nonzero=(X,)).vacuous


def test_a_denominator_that_is_zero_is_an_error():
    with pytest.raises(ZeroDivisionError, match="identically 0"):
        Reduction(where={Y: X}).normal(1 / (X - Y))


def test_floats_are_refused():
    with pytest.raises(TypeError, match="must be exact"):
        exact(0.5 * X)
    assert exact(Fraction(1, 3)) == sympy.Rational(1, 3)


def test_nested_fractions_cancel():
    u, v = total(W[i]), total(A[i])
    inner = u / (u + v) + v / (u + v)
    assert zero(1 / inner - 1, nonzero=(u + v,))
    assert zero(Reciprocal(inner) - 1, nonzero=(u + v,))
