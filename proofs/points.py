"""Cases for claims that are pure mathematics: symbols, and the same symbols replaced by exact rational numbers."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import sympy

from proofs.kernel import Case

Values = Mapping[sympy.Symbol, sympy.Rational]


def put(values: Values, e: Any) -> Any:
    """An expression (or an array of them) with numbers in place of the symbols, where there are any."""
    if isinstance(e, np.ndarray):
        return np.frompyfunc(lambda x: put(values, x), 1, 1)(e)
    return sympy.sympify(e).xreplace(values) if values else e


def draw(symbols: Iterable[sympy.Symbol], seed: Any, size: int = 6) -> dict[sympy.Symbol, sympy.Rational]:
    """Rational values that respect the symbols' assumptions."""
    random = Random(str(seed))
    values = {}
    for x in symbols:
        number = Fraction(random.randint(-size, size), random.choice((1, 2, 3)))
        if x.is_nonnegative:
            number = abs(number)
        if x.is_nonzero and number == 0:
            number = Fraction(1)
        if x.is_integer:
            number = Fraction(int(number))
        values[x] = sympy.Rational(number.numerator, number.denominator)
    return values


def cases(symbols: Iterable[sympy.Symbol], extent: str, points: int = 12, size: int = 6) -> Iterator[Case]:
    """Rational points, then the symbols themselves; ``extent`` says of what size the claim is."""
    symbols = tuple(symbols)
    for seed in range(points):
        values = draw(symbols, seed, size)
        yield Case(" ".join(f"{x}={value}" for x, value in values.items()), values, point=True)
    yield Case("any values", {}, shown=True, extent=extent)


def several(name: str, count: int, **assumptions: bool) -> tuple[sympy.Symbol, ...]:
    """``name1, name2, …``, real numbers unless more is assumed."""
    return tuple(sympy.Symbol(f"{name}{n}", **(assumptions or {"real": True})) for n in range(1, count + 1))
