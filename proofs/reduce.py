"""The exact zero test: a normal form for sums over an unspecified number of inputs, indicators and reciprocals.

Expressions are rational functions of symbols ``x``, indexed symbols ``w_j``, sums ``Σ_i f(i)`` with a symbolic bound,
indicators ``1[x > 0]`` and reciprocals (0 at 0). The normal form is a sum of products; it pulls out of a sum over
inputs what does not depend on the index and splits it at every ``+``. Two sums whose summands have the same normal
form are equal for every number of inputs. The relations of indicators are in :mod:`proofs.tidy`.
"""

from collections.abc import Mapping
from fractions import Fraction

import sympy
from sympy import Expr, S, Sum

from proofs.rational import fraction, is_rational, known_signs, lowest, over
from proofs.symbols import Indicator, NegativePart, Nonzero, PositivePart, Reciprocal, Sign
from proofs.tidy import Inverse, expand, is_atomic, primitive, tidy

INDICES = {"J": sympy.Symbol("i", integer=True), "K": sympy.Symbol("l", integer=True)}


def exact(value) -> Expr:
    """A number or expression as a sympy expression; floating-point numbers are refused."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    value = sympy.sympify(value)
    if value.has(sympy.Float):
        raise TypeError(f"A proof must be exact; found a floating-point number in {value}.")
    return value


class Reduction:
    """Normal forms under assumptions: expressions that are not 0, that are positive, and replacements of atoms."""

    def __init__(self, nonzero: tuple = (), positive: tuple = (), where: Mapping | None = None):
        self._known: dict[Expr, Expr] = {}
        self._nonzero: set[Expr] = set()
        self._signs: dict[Expr, int] = {}
        self.where: dict[Expr, Expr] = {}
        self.where = {self.normal(exact(key)): self.normal(exact(value)) for key, value in (where or {}).items()}
        self._known.clear()
        self.vacuous = False
        for _ in range(2):  # twice: an assumption may change the normal form of another
            for x in (*positive, *nonzero):
                self._known.clear()
                self._assume_nonzero(self.normal(exact(x)))
            self._signs = dict(known_signs(self.normal(exact(x))) for x in positive)
        self.vacuous = self.vacuous or any(self.sign(self.normal(exact(x))) in (-1, 0) for x in positive)
        self._known.clear()

    def _assume_nonzero(self, x: Expr) -> None:
        self.vacuous = self.vacuous or x == 0
        self._nonzero.update(primitive(part)[1] for part in (x, *(f for f, _ in sympy.factor_list(x)[1])))

    def is_nonzero(self, x: Expr) -> bool:
        """Whether an expression in normal form is surely not 0."""
        if x.is_zero is False or primitive(x)[1] in self._nonzero:
            return True
        x = lowest(x)[0]
        numerator = sympy.fraction(sympy.together(x))[0]
        factors = [f for f, _ in sympy.factor_list(numerator)[1]] if numerator != 0 else [numerator]
        return all(f.is_zero is False or primitive(f)[1] in self._nonzero for f in factors)

    def sign(self, x: Expr) -> int | None:
        """The sign of an expression in normal form, where it is known."""
        for y in (x, sympy.factor(over(x))):
            for sign, known in ((1, y.is_positive), (-1, y.is_negative), (0, y.is_zero)):
                if known:
                    return sign
            for sign, weak in ((1, y.is_nonnegative), (-1, y.is_nonpositive)):
                if weak and self.is_nonzero(x):
                    return sign
            if y.is_Symbol:
                break
        rest, sign = known_signs(x)
        return sign * self._signs[rest] if rest in self._signs else None

    def undischarged(self, e: Expr) -> set[Expr]:
        """Denominators of a normal form that neither the symbols' assumptions nor the conditions keep from 0."""
        bases = {f.args[0] for f in e.atoms(Inverse)} | {p.base for p in e.atoms(sympy.Pow) if p.exp.is_negative}
        return {x for x in bases if not self.is_nonzero(x)}

    def value(self, e: Expr) -> Expr:
        """A normal form over one denominator; 0 if, and as far as, it can be shown to be 0."""
        numerator, denominator = fraction(e)
        if numerator == 0 or (not is_rational(numerator) and sympy.simplify(numerator) == 0):
            return S.Zero
        return sympy.factor_terms(numerator) / denominator

    def normal(self, e: Expr) -> Expr:
        """The normal form of an expression."""
        if e not in self._known:
            self._known[e] = self._normal(e)
        return self._known[e]

    def _normal(self, e: Expr) -> Expr:
        if e.is_Number or isinstance(e, Inverse):
            return e
        if is_atomic(e):
            return self.where.get(e, e)
        if isinstance(e, (PositivePart, NegativePart)):
            x = e.args[0]
            return self.normal(x * Indicator(x if isinstance(e, PositivePart) else -x))
        if isinstance(e, Sign):
            return self.normal(1 - 2 * Indicator(-e.args[0]))
        if isinstance(e, Nonzero):
            if self.is_nonzero(self.normal(e.args[0])):
                return S.One
            return self.normal(Indicator(e.args[0]) + Indicator(-e.args[0]))
        if isinstance(e, Indicator):
            return self._indicator(self.normal(e.args[0]))[0]
        if isinstance(e, Reciprocal):
            return self._reciprocal(self.normal(e.args[0]))
        if isinstance(e, Sum):
            return self._sum(e)
        if e.is_Pow and e.exp.is_Integer and e.exp < 0:
            return self._inverse(self.normal(e.base)) ** -e.exp
        parts = [self.normal(x) for x in e.args]
        rebuilt = e.func(*parts) if parts else e
        if not (e.is_Mul or e.is_Pow):
            return rebuilt
        return tidy(expand(rebuilt) if any(part.is_Add for part in parts) else rebuilt)

    def _inverse(self, x: Expr) -> Expr:
        """``1/x`` of a normal form, a sum in the denominator becoming one :class:`Inverse`."""
        if x == 0:
            raise ZeroDivisionError("a denominator is identically 0")
        x, denominator = lowest(x)
        if denominator != 1:
            return tidy(expand(self._inverse(x) * denominator))
        if not x.is_Add:
            powers = x.as_powers_dict().items()
            return sympy.Mul(*(base.args[0] ** p if isinstance(base, Inverse) else base**-p for base, p in powers))
        number, rest = primitive(x)
        return Inverse(rest) / number if rest.is_Add else 1 / x

    def _sum(self, e: Sum) -> Expr:
        summand, (index, low, high) = e.function, e.limits[0]
        if len(e.limits) > 1:
            return self.normal(Sum(Sum(summand, e.limits[0]), *e.limits[1:]))
        if high.is_Add and (high - 1).is_Symbol:
            return self.normal(Sum(summand, (index, low, high - 1))) + self.normal(summand.xreplace({index: high}))
        bound = INDICES.get(str(high), index)
        total = S.Zero
        for term in sympy.Add.make_args(self.normal(summand)):
            outside, inside = term.as_independent(index, as_Add=False)
            atom = high - low + 1 if inside == 1 else Sum(inside.xreplace({index: bound}), (bound, low, high))
            total += outside * self.where.get(atom, atom)
        return tidy(expand(total))

    def _indicator(self, x: Expr) -> tuple[Expr, Expr]:
        """``1[x > 0]`` and ``1[x < 0]`` of a normal form; those of a product by those of its factors."""
        sign = self.sign(x)
        if sign is not None:
            return sympy.Integer(sign > 0), sympy.Integer(sign < 0)
        if not (x.is_Mul or x.is_Pow):
            flip = not is_atomic(x) and x.could_extract_minus_sign()
            up, down = Indicator(expand(-x) if flip else x), Indicator(x if flip else expand(-x))
            return (down, up) if flip else (up, down)
        up, down = S.One, S.Zero
        for factor in sympy.Mul.make_args(x):
            base, power = factor.as_base_exp()
            plus, minus = self._indicator(base)
            plus, minus = (plus, minus) if power % 2 else (plus + minus, S.Zero)
            up, down = up * plus + down * minus, up * minus + down * plus
        return tidy(expand(up)), tidy(expand(down))

    def _reciprocal(self, x: Expr) -> Expr:
        if x == 0:
            return S.Zero
        if self.is_nonzero(x):
            return self._inverse(x)
        x, denominator = lowest(x)
        if denominator != 1:
            return tidy(expand(self._reciprocal(x) * denominator))
        parts = (factor.as_base_exp() for factor in sympy.Mul.make_args(x))
        return sympy.Mul(*(Reciprocal(base) ** power for base, power in parts))
