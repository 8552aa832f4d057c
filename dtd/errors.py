"""Errors: each says what was required, what was found and what to do."""

from numbers import Integral
from typing import Any


class DTDError(Exception):
    """Base of every error that this package raises on purpose.

    Every error of this package can be caught as one.

    >>> import dtd
    >>> all(issubclass(error, dtd.DTDError) for error in (dtd.InputError, dtd.PlanError, dtd.TraceError, dtd.StaleError))
    True
    """


class TraceError(DTDError):
    """The model cannot be captured as one graph with a free batch size.

    >>> import dtd, torch
    >>> dtd.trace(torch.nn.Dropout(0.5), torch.ones(1, 2))
    Traceback (most recent call last):
    dtd.errors.UnsupportedOp: No decomposition for op 'aten.dropout.default' in module '(model)'. The...
    """


class UnsupportedOp(TraceError):
    """An op without a decomposition; never replaced by a gradient.

    >>> import dtd, torch
    >>> class Sine(torch.nn.Module):
    ...     def forward(self, x):
    ...         return torch.special.bessel_j0(x)
    >>> dtd.trace(Sine(), torch.ones(1, 2))
    Traceback (most recent call last):
    dtd.errors.UnsupportedOp: No decomposition for op 'aten.special_bessel_j0.default' in module '(model)'. Replace...
    """

    def __init__(self, op: str, path: str, advice: str):
        self.op, self.path, self.advice = op, path, advice
        super().__init__(f"No decomposition for op '{op}' in module '{path or '(model)'}'. {advice}")

    def __reduce__(self):
        """Errors are sent from other processes: they are made again from their parts."""
        return type(self), (self.op, self.path, self.advice)


class DomainError(DTDError):
    """Values outside the domain that a relevance model or the network declares.

    >>> import dtd
    >>> dtd.Box(1.0, 0.0)
    Traceback (most recent call last):
    dtd.errors.DomainError: Box needs finite bounds with low <= high everywhere;...
    """


class PlanError(DTDError):
    """A plan that does not cover the network, or that covers nothing with an entry.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> dtd.explain(net, torch.ones(1, 2), 0, dtd.Plan([("features.*", dtd.rules.choose("lrp0"))]))
    Traceback (most recent call last):
    dtd.errors.PlanError: No entry of the plan speaks for dense (dense,...
    """


class InputError(DTDError):
    """An input, target or dtype that an explanation cannot start from.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> dtd.explain(net, torch.ones(1, 3), 0)
    Traceback (most recent call last):
    dtd.errors.InputError: The input must have shape (B, 2); found (1,...
    """


class NonFiniteError(DTDError):
    """NaN or infinity in inputs, weights, activations or relevance.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> dtd.explain(net, torch.tensor([[1.0, float("nan")]]), 0)
    Traceback (most recent call last):
    dtd.errors.NonFiniteError: The input must be finite; found NaN or infinity....
    """


class StaleError(DTDError):
    """Something is asked of an explanation whose input or model has changed since.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1))
    >>> net = dtd.trace(model, torch.ones(1, 2))
    >>> model[0] = torch.nn.Tanh()
    >>> dtd.explain(net, torch.ones(1, 2), 0)
    Traceback (most recent call last):
    dtd.errors.StaleError: The model changed after it was traced: the class...
    """


class BudgetError(DTDError):
    """An explicit computation that does not fit the memory it was given.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.Linear(100, 1), torch.ones(1, 100))
    >>> dtd.audit_cost(net, torch.ones(1, 100), dtd.Plan.uniform("lrp0"), memory=8)
    Traceback (most recent call last):
    dtd.errors.BudgetError: One unit of layer 'dense' needs about 4,800 bytes...
    """


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


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Raise :class:`InputError` for what is not an integer of at least ``least``."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    check_parameter(whole and value >= least, name, f"an integer >= {least}", in_short(value))


def check_share(name: str, value: Any, alternative: str = "") -> None:
    """Raise :class:`InputError` for what is not one number from 0 to 1; ``alternative`` says what else is possible."""
    holds = is_number(value) and bool(0 <= value) and bool(value <= 1)
    check_parameter(holds, name, f"between 0 and 1{alternative}{as_number(value)}", in_short(value))


def check_bound(name: str, value: Any, alternative: str = "") -> None:
    """Raise :class:`InputError` for what is neither a number nor a tensor; ``alternative`` says what else is possible."""
    holds = hasattr(value, "shape") or is_number(value)
    check_parameter(holds, name, f"a finite number or a tensor{alternative}", in_short(value))


def as_number(value: object) -> str:
    """What to do with an array of one entry, as a part of a message."""
    return " (a number: value.item())" if type(value).__name__ == "ndarray" else ""


def in_short(value: object) -> str:
    """A value in one line, a short one."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"
