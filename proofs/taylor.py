"""First-order Taylor expansions of a function of symbols, by differentiation."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol


@dataclass(frozen=True)
class Expansion:
    """``f(a) = zeroth + Σ_j first_j + remainder``."""

    first: tuple[Expr, ...]
    zeroth: Expr
    remainder: Expr


def expansion(
    f: Expr, variables: Sequence[Symbol], root: Sequence[Expr], slope_at: Sequence[Expr] | None = None
) -> Expansion:
    """``first_j = ∂f/∂a_j (ã) (a_j − ã_j)`` and ``f(ã)``; with ``slope_at`` the derivatives are taken at another point."""
    there = dict(zip(variables, root, strict=True))
    slope = dict(zip(variables, root if slope_at is None else slope_at, strict=True))
    first = tuple(sympy.diff(f, a).subs(slope, simultaneous=True) * (a - there[a]) for a in variables)
    zeroth = f.subs(there, simultaneous=True)
    return Expansion(first, zeroth, f - zeroth - sum(first))
