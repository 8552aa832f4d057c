"""Normal forms as fractions: one denominator, lowest terms, and factors of known sign."""

import sympy
from sympy import Expr, S

from proofs.tidy import Inverse, expand, primitive, tidy


def fraction(x: Expr) -> tuple[Expr, Expr]:
    """Numerator (in normal form) and denominator of a normal form."""
    terms = [term.as_powers_dict() for term in sympy.Add.make_args(x)]
    highest: dict[Expr, int] = {}
    for powers in terms:
        for base, power in powers.items():
            if isinstance(base, Inverse) or (power.is_Integer and power < 0 and not base.is_number):
                key = base.args[0] if isinstance(base, Inverse) else base
                highest[key] = max(highest.get(key, 0), abs(power))
    numerator = S.Zero
    for powers in terms:
        missing = dict(highest)
        rest = S.One
        for base, power in powers.items():
            if isinstance(base, Inverse):
                missing[base.args[0]] -= power
            elif base in missing:
                missing[base] += power
            else:
                rest *= base**power
        numerator += rest * sympy.Mul(*(base**power for base, power in missing.items()))
    return tidy(expand(numerator)), sympy.Mul(*(base**power for base, power in highest.items()))


def over(x: Expr) -> Expr:
    """A normal form over one denominator."""
    numerator, denominator = fraction(x)
    return numerator / denominator


def lowest(x: Expr) -> tuple[Expr, Expr]:
    """A normal form as a fraction in lowest terms, where it has sums in denominators; otherwise ``(x, 1)``."""
    if not (x.is_Add and x.has(Inverse)):
        return x, S.One
    return tuple(map(expand, sympy.fraction(sympy.cancel(over(x)))))


def known_signs(x: Expr) -> tuple[Expr, int]:
    """A normal form without its factors of known sign (and without its own scale), and the sign of what was left out."""
    number, rest = primitive(x)
    known = [factor for factor in sympy.Mul.make_args(rest) if factor.is_positive or factor.is_negative]
    sign = sympy.sign(number) * sympy.Mul(*(1 if factor.is_positive else -1 for factor in known))
    return rest / sympy.Mul(*known), int(sign)


def is_rational(e: Expr) -> bool:
    """Whether an expression is free of exponentials and of powers other than integer ones."""
    return not e.has(sympy.exp) and all(power.exp.is_Integer for power in e.atoms(sympy.Pow))
