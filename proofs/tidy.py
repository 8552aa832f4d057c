"""The relations of indicators and reciprocals in a product, as functions of a real ``x``:

1[x>0]² = 1[x>0],    1[x>0] 1[x<0] = 0,    x 1[x<0] = x − x 1[x>0],    x · (1/x or 0) = 1[x>0] + 1[x<0].
"""

from functools import lru_cache, partial

import sympy
from sympy import Expr, S

from proofs.symbols import Indicator, Reciprocal

expand = partial(sympy.expand, power_base=False, power_exp=False, log=False, basic=False)


class Inverse(sympy.Function):
    """``1/x`` of a sum ``x ≠ 0``, kept in one piece while products are multiplied out."""

    nargs = 1

    def _eval_is_positive(self):
        return self.args[0].is_positive

    def _eval_is_negative(self):
        return self.args[0].is_negative

    def _eval_is_zero(self):
        return False

    def _sympystr(self, printer):
        return f"1/({printer._print(self.args[0])})"


def is_atomic(x: Expr) -> bool:
    """Whether an expression is a single unknown, about which the indicators' relations can be used."""
    return x.is_Symbol or x.is_Indexed


@lru_cache(maxsize=10_000)
def primitive(x: Expr) -> tuple[Expr, Expr]:
    """``x = number · rest`` with a rest that does not depend on the scale or sign of ``x``."""
    x = expand(x)
    number, rest = x.as_content_primitive() if x.is_Add else x.as_coeff_Mul()
    if rest.is_Add and rest.could_extract_minus_sign():
        return -number, expand(-rest)
    return number, rest


def tidy(e: Expr) -> Expr:
    """A sum of products with the relations applied to each product."""
    if not e.has(Indicator, Reciprocal):
        return e
    return sympy.Add(*(_product(term) for term in sympy.Add.make_args(e)))


@lru_cache(maxsize=50_000)
def _product(term: Expr) -> Expr:
    powers = term.as_powers_dict()
    for f in powers:
        if isinstance(f, Reciprocal) and powers.get(f.args[0], 0) > 0:
            x = f.args[0]
            both = min(powers[x], powers[f])
            return tidy(expand(term / (x * f) ** both * (Indicator(x) + Indicator(-x))))
    indicators = {f for f in powers if isinstance(f, Indicator)}
    for f in indicators:
        if Indicator(-f.args[0]) in indicators:
            return S.Zero
        term = term / f ** (powers[f] - 1)
    for f in indicators:
        x = -f.args[0] if f.args[0].could_extract_minus_sign() else f.args[0]
        if is_atomic(x):
            up, down = Indicator(x), Indicator(-x)
            occurs = powers.get(x, 0) > 0
            if f == down and (occurs or x.is_nonzero):
                return _product(term / down) - _product(term / down * up)
            if f == up and occurs and down == 0:
                return _product(term / up)
    return term
