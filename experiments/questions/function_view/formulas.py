"""One unit with two inputs as formulas in JavaScript: the shipped root strategies and relevance models, run on symbols.

A page that shows roots move does not re-implement them; it evaluates what is printed here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import sympy
from sympy.printing.jscode import JavascriptCodePrinter

from dtd.domain import Domain
from dtd.relevance import RelevanceModel
from dtd.root import mixed
from proofs.symbols import SymbolArray, array
from proofs.units import FiniteMap, SymbolicUnits

VARIABLES = ("a1", "a2", "w1", "w2", "b")
ROUNDING = sympy.Float(1e-9)  # of r = z(ã)/z and of a point's coordinates, where a page evaluates in double precision


class Script(JavascriptCodePrinter):
    """The indicators and parts of :mod:`proofs.symbols` as calls of functions that the page defines."""

    def _call(self, name: str, e: sympy.Expr) -> str:
        return f"{name}({self._print(e.args[0])})"

    def _print_Indicator(self, e):  # noqa: N802 - sympy's names
        return self._call("step", e)

    def _print_Reciprocal(self, e):  # noqa: N802
        return self._call("reciprocal", e)

    def _print_PositivePart(self, e):  # noqa: N802
        return self._call("positive", e)

    def _print_NegativePart(self, e):  # noqa: N802
        return self._call("negative", e)

    def _print_Sign(self, e):  # noqa: N802
        return self._call("sign", e)

    def _print_Nonzero(self, e):  # noqa: N802
        return self._call("nonzero", e)


class RoundedUnits(SymbolicUnits):
    """Symbolic units whose formulas will be evaluated in floating-point arithmetic."""

    def rounding(self, terms):
        return ROUNDING


def unit() -> RoundedUnits:
    """The unit ``z = a1 w1 + a2 w2 + b``, every letter a real symbol."""
    a1, a2, w1, w2, b = sympy.symbols(VARIABLES, real=True)
    layer = FiniteMap(weight=array([[w1, w2]]), bias=array([b]), in_shape=(2,), out_shape=(1,))
    return RoundedUnits(layer, array([[a1, a2]]))


def scripts(models: Mapping[str, RelevanceModel], domain: Domain) -> pd.DataFrame:
    """``rule``, ``quantity`` and its ``formula`` in :data:`VARIABLES`, for a unit with relevance ``max(0, z)``.

    Quantities: ``root1``, ``root2``; the Taylor terms ``first1``, ``first2``, ``bias``, ``zeroth``, ``remainder``; and
    what decides about the root: ``defined``, ``exists``, ``zero``, ``inside``, ``region`` (Booleans).
    """
    rows = [(rule, name, script(value)) for rule, model in models.items() for name, value in quantities(model, domain)]
    return pd.DataFrame(rows, columns=["rule", "quantity", "formula"])


def quantities(model: RelevanceModel, domain: Domain) -> Iterator[tuple[str, Any]]:
    """Everything about one rule's root of the unit, as expressions."""
    units = unit()
    root = mixed(model.root.roots(units, domain))
    terms = model.terms(units, domain, array([[sympy.Max(0, units.z.item())]]))
    points, (r, tolerance) = root.points(units), root.residual(units)
    r = r.item()
    yield from zip(("root1", "root2"), points.flat, strict=True)
    yield from zip(("first1", "first2"), terms.first.flat, strict=True)
    yield from (("bias", item(terms.bias)), ("zeroth", item(terms.zeroth)), ("remainder", item(terms.remainder)))
    yield "defined", model.defined(units.z.item())
    yield "exists", item(root.exists)
    yield "zero", sympy.Abs(model.value(r)) <= item(tolerance)
    yield "inside", sympy.And(*domain.contains(points.view(SymbolArray), ROUNDING).flat)
    yield "region", model.in_region(r, item(tolerance))


def item(value: Any) -> Any:
    """The one entry of an array; what is no array as it is."""
    return value.item() if isinstance(value, np.ndarray) else value


def script(value: Any) -> str:
    """An expression in JavaScript."""
    return Script().doprint(sympy.sympify(value))
