"""Whether a step holds: exactly, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

from proofs.reduce import Reduction, exact

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"
RELATIONS = {
    "=": lambda sign: sign == 0,
    ">": lambda sign: sign == 1,
    ">=": lambda sign: sign in (0, 1),
    "<": lambda sign: sign == -1,
    "<=": lambda sign: sign in (0, -1),
    "!=": lambda sign: sign in (1, -1),
}


@dataclass(frozen=True, eq=False)
class Step:
    """``left = right`` (or another relation), and why.

    Either side may be an array, which states the relation entry by entry. In print ``shows`` stands for the left side,
    and ``reads``, if given, for the right one.
    """

    shows: str
    left: Any
    right: Any
    reason: str
    relation: str = "="
    quiet: bool = False  # checked, but left out of the printed derivation
    reads: str = ""


@dataclass(frozen=True, eq=False)
class Condition:
    """An assumption on expressions: ``expression relation 0`` with the relation ``>`` or ``!=``."""

    expression: Any
    relation: str
    text: str


@dataclass(frozen=True, eq=False)
class Failure:
    """A step that does not hold, or that cannot be decided."""

    verdict: str
    case: str
    step: str
    found: str

    def __str__(self) -> str:
        return f"{self.step} [{self.case}]: {self.found}"


def entries(value: Any) -> list:
    """The entries of an array, or the value itself."""
    return list(value.flat) if isinstance(value, np.ndarray) else [value]


def pairs(step: Step) -> Iterator[tuple[Any, Any]]:
    """The two sides of a step, entry by entry."""
    left, right = np.broadcast_arrays(np.asarray(step.left, dtype=object), np.asarray(step.right, dtype=object))
    return zip(left.flat, right.flat, strict=True)


def holds(condition: Condition) -> bool:
    """Whether a condition holds at a point."""
    signs = (sympy.sign(exact(x)) for x in entries(condition.expression))
    return all(bool(RELATIONS[condition.relation](s)) for s in signs)


def judge(step: Step, left: Any, right: Any, reduction: Reduction, case: str) -> Failure | None:
    """None where ``left relation right`` holds; otherwise what is wrong with it."""
    if is_boolean(left) or is_boolean(right):
        found, required = (truth(side, reduction) for side in (left, right))
        if found is None or required is None:
            return Failure(UNDECIDED, case, step.shows, f"cannot decide {left} = {right}")
        return None if found == required else Failure(REFUTED, case, step.shows, f"{found}, required {required}")
    left, right = (reduction.normal(exact(side)) for side in (left, right))
    unsafe = reduction.undischarged(left) | reduction.undischarged(right)
    if unsafe:
        return Failure(UNDECIDED, case, step.shows, f"not kept from 0: {', '.join(map(str, unsafe))}")
    value = reduction.value(left - right)
    if compare(value, step.relation, reduction):
        return None
    verdict = REFUTED if value.is_number else UNDECIDED
    return Failure(verdict, case, step.shows, f"left - right = {value}, required {step.relation} 0")


def compare(value: sympy.Expr, relation: str, reduction: Reduction) -> bool | None:
    """Whether a normal form stands in a relation to 0; None where that cannot be decided."""
    sign = reduction.sign(value)
    if sign is not None:
        return RELATIONS[relation](sign)
    weak = 1 if value.is_nonnegative else -1 if value.is_nonpositive else None
    if weak and RELATIONS[relation](weak) and RELATIONS[relation](0):
        return True
    return False if weak and not RELATIONS[relation](weak) and not RELATIONS[relation](0) else None


def is_boolean(value: Any) -> bool:
    """Whether a side of a step is a statement rather than a quantity."""
    return isinstance(value, (bool, np.bool_, Boolean)) and not isinstance(value, sympy.Expr)


def truth(statement: Any, reduction: Reduction) -> bool | None:
    """Whether relations, combined by and, hold; None where that cannot be decided."""
    if isinstance(statement, (bool, np.bool_, BooleanAtom)):
        return bool(statement)
    if isinstance(statement, sympy.And):
        found = [truth(part, reduction) for part in statement.args]
        return False if False in found else None if None in found else True
    if isinstance(statement, Relational):
        value = reduction.value(reduction.normal(exact(statement.lhs - statement.rhs)))
        return compare(value, "=" if statement.rel_op == "==" else statement.rel_op, reduction)
    return None


def every(values: Any) -> Any:
    """Whether all entries hold: a truth value, or the conjunction of relations."""
    found = entries(values)
    if all(isinstance(value, (bool, np.bool_)) for value in found):
        return all(found)
    return sympy.And(*found)
