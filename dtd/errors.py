"""Errors: each says what was required, what was found and what to do."""

from typing import Any


class DTDError(Exception):
    """Base of every error that this package raises on purpose."""


class TraceError(DTDError):
    """The model cannot be captured as one graph with a free batch size."""


class UnsupportedOp(TraceError):
    """An op without a decomposition; never replaced by a gradient."""

    def __init__(self, op: str, path: str, advice: str):
        self.op, self.path, self.advice = op, path, advice
        super().__init__(f"No decomposition for op '{op}' in module '{path or '(model)'}'. {advice}")


class DomainError(DTDError):
    """Values outside the domain that a relevance model or the network declares."""


class PlanError(DTDError):
    """A plan that does not cover the network, or that covers nothing with an entry."""


class InputError(DTDError):
    """An input, target or dtype that an explanation cannot start from."""


class NonFiniteError(DTDError):
    """NaN or infinity in inputs, weights, activations or relevance."""


class StaleError(DTDError):
    """Something is asked of an explanation whose input or model has changed since."""


class BudgetError(DTDError):
    """An explicit computation that does not fit the memory it was given."""


def check_parameter(holds: bool, name: str, required: str, found: object) -> None:
    """Raise :class:`InputError` for a parameter that no member of the family has."""
    if not holds:
        raise InputError(f"'{name}' must be {required}; found {found}.")


def is_number(value: Any) -> bool:
    """Whether a value is one finite number: of Python, numpy or torch, a fraction, or a symbol of the proofs."""
    try:
        if getattr(value, "ndim", 0) or type(value).__name__ == "ndarray":
            return False  # numpy's arrays of no axis do not multiply with tensors
        return not isinstance(value, (bool, complex)) and bool(0 * value == 0)
    except (TypeError, ValueError, RuntimeError):
        return False


def check_number(name: str, value: object) -> None:
    """Raise :class:`InputError` for what is not one finite number."""
    check_parameter(is_number(value), name, f"a finite number{as_number(value)}", in_short(value))


def check_nonnegative(name: str, value: Any, alternative: str = "") -> None:
    """Raise :class:`InputError` for what is not one finite number ≥ 0; ``alternative`` says what else is possible."""
    holds = is_number(value) and bool(value >= 0)
    check_parameter(holds, name, f">= 0{alternative}{as_number(value)}", in_short(value))


def as_number(value: object) -> str:
    """What to do with an array of one entry, as a part of a message."""
    return " (a number: value.item())" if type(value).__name__ == "ndarray" else ""


def in_short(value: object) -> str:
    """A value in one line, a short one."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"
