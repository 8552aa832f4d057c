"""The symbolic reading of :mod:`dtd.algebra`: indicators and a reciprocal that is 0 at 0, on sympy expressions.

Importing this module registers the reading, so that directions, root strategies, relevance models and explicit rules
of ``dtd`` run on symbols as they are.
"""

import numpy as np
import sympy

from dtd import algebra


class Indicator(sympy.Function):
    """``1[x > 0]``, decided where the assumptions decide it; ``1[x < 0]`` is ``Indicator(-x)``."""

    nargs = 1
    is_nonnegative = True

    @classmethod
    def eval(cls, x):
        if x.is_extended_positive:
            return sympy.S.One
        if x.is_extended_nonpositive:
            return sympy.S.Zero
        return None

    def _eval_rewrite_as_Piecewise(self, x, **_):  # noqa: N802 - sympy's name
        return sympy.Piecewise((1, x > 0), (0, True))

    def condition(self, show) -> str:
        """``x > 0``, or ``x < 0``, with ``show`` to print."""
        x = self.args[0]
        return f"{show(-x)} < 0" if x.could_extract_minus_sign() else f"{show(x)} > 0"

    def _latex(self, printer, exp=None):
        text = rf"\mathbf{{1}}[{self.condition(printer._print)}]"
        return text if exp is None else f"{text}^{{{exp}}}"

    def _sympystr(self, printer):
        return f"1[{self.condition(printer._print)}]"


class Reciprocal(sympy.Function):
    """``1/x``, and 0 where ``x = 0``: a share without a root is no share."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, x):
        if x.is_zero:
            return sympy.S.Zero
        return 1 / x if x.is_zero is False else None

    def _latex(self, printer, exp=None):
        return rf"\left({printer._print(self.args[0])}\right)^{{-{exp or 1}}}"

    def _sympystr(self, printer):
        return f"(1/({printer._print(self.args[0])}))"


class _Part(sympy.Function):
    """A part of a number that is printed as ``x⁺`` or ``x⁻``."""

    nargs = 1
    is_real = True
    mark = ""

    def _latex(self, printer, exp=None):
        x = self.args[0]
        text = printer._print(x) if x.is_Atom or x.is_Indexed else rf"\left({printer._print(x)}\right)"
        text = rf"{{{text}}}^{{{self.mark}}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _sympystr(self, printer):
        x = self.args[0]
        text = printer._print(x)
        return f"{text if x.is_Atom or x.is_Indexed else f'({text})'}{'⁺' if self.mark == '+' else '⁻'}"


class PositivePart(_Part):
    """``x⁺ = x 1[x > 0]``; its derivative, away from the kink, is ``1[x > 0]``."""

    mark = "+"

    def fdiff(self, argindex=1):
        return Indicator(self.args[0])

    @classmethod
    def eval(cls, x):
        return x if x.is_extended_nonnegative else sympy.S.Zero if x.is_extended_nonpositive else None


class NegativePart(_Part):
    """``x⁻ = x 1[x < 0]``."""

    mark = "-"

    @classmethod
    def eval(cls, x):
        return x if x.is_extended_nonpositive else sympy.S.Zero if x.is_extended_nonnegative else None


class Sign(sympy.Function):
    """``1 − 2 · 1[x < 0]``: the sign, with sign(0) = +1."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, x):
        return sympy.S.One if x.is_extended_nonnegative else -sympy.S.One if x.is_extended_negative else None

    def _latex(self, printer, exp=None):
        return rf"\operatorname{{sign}}\left({printer._print(self.args[0])}\right)"


class Nonzero(sympy.Function):
    """``1[x ≠ 0]``."""

    nargs = 1
    is_nonnegative = True

    @classmethod
    def eval(cls, x):
        return None if x.is_zero is None else sympy.Integer(not x.is_zero)

    def _latex(self, printer, exp=None):
        return rf"\mathbf{{1}}[{printer._print(self.args[0])} \ne 0]"


algebra.step.register(sympy.Expr, Indicator)
algebra.positive.register(sympy.Expr, PositivePart)
algebra.negative.register(sympy.Expr, NegativePart)
algebra.sign.register(sympy.Expr, Sign)
algebra.nonzero.register(sympy.Expr, Nonzero)
algebra.quotient.register(sympy.Expr, lambda denominator, numerator: numerator * Reciprocal(denominator))

_RELATIONS = {"eq": sympy.Eq, "ne": sympy.Ne, "lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge}


class SymbolArray(np.ndarray):
    """An object array whose comparisons are sympy relations, entry by entry, where numpy would ask for a truth value."""


for _name, _relation in _RELATIONS.items():
    _entries = np.frompyfunc(_relation, 2, 1)
    setattr(SymbolArray, f"__{_name}__", lambda self, other, entries=_entries: entries(self, other))


def array(values) -> SymbolArray:
    """An array of expressions."""
    return np.array(values, dtype=object).view(SymbolArray)
