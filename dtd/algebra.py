"""Elementary functions that act alike on tensors, on numbers and on whatever is registered later.

Directions, roots and explicit rules are written with these functions and with ``+ - * /`` only, so that one
object has three readings: tensors (explanations), exact rationals (`fractions.Fraction`, object arrays) and
symbols (the proofs register sympy expressions with :func:`step`, :func:`quotient` and the other dispatchers).
"""

from functools import singledispatch
from numbers import Number
from typing import Any

import numpy as np
import torch


def _unknown(name: str, x: object) -> TypeError:
    return TypeError(f"algebra.{name} has no reading for {type(x).__name__}; register one with algebra.{name}.register")


def one(x):
    """The constant factor 1, without allocating it."""
    return 1


def identity(x):
    """The factor ``x`` itself."""
    return x


@singledispatch
def step(x):
    """Indicator ``1[x > 0]``, in the type of ``x``."""
    raise _unknown("step", x)


@singledispatch
def positive(x):
    """Positive part ``x⁺ = max(x, 0)``."""
    raise _unknown("positive", x)


@singledispatch
def negative(x):
    """Negative part ``x⁻ = min(x, 0)``."""
    raise _unknown("negative", x)


@singledispatch
def sign(x):
    """Sign with ``sign(0) = +1``, the convention of LRP's stabiliser."""
    raise _unknown("sign", x)


@singledispatch
def nonzero(x):
    """Indicator ``1[x ≠ 0]``, in the type of ``x``."""
    raise _unknown("nonzero", x)


@singledispatch
def quotient(denominator, numerator):
    """``numerator / denominator`` where the denominator is not zero, and 0 where it is: no root, no share."""
    raise _unknown("quotient", denominator)


def divide(numerator, denominator):
    """:func:`quotient` in reading order."""
    return quotient(denominator, numerator)


def reciprocal(x):
    """``1 / x`` where ``x ≠ 0``, and 0 where ``x = 0``."""
    return quotient(x, 1)


@step.register
def _(x: torch.Tensor):
    return (x > 0).to(x.dtype)


@positive.register
def _(x: torch.Tensor):
    return x.clamp(min=0)


@negative.register
def _(x: torch.Tensor):
    return x.clamp(max=0)


@sign.register
def _(x: torch.Tensor):
    return torch.copysign(x.new_ones(()), x + 0)  # −0 + 0 = +0


@nonzero.register
def _(x: torch.Tensor):
    return (x != 0).to(x.dtype)


@quotient.register
def _(denominator: torch.Tensor, numerator):
    if torch.is_grad_enabled():  # dividing by 0 first would make the gradient NaN
        zero = denominator == 0
        return (numerator / denominator.masked_fill(zero, 1)).masked_fill(zero, 0)
    return (numerator / denominator).masked_fill_(denominator == 0, 0)


@step.register(Number)
def _(x: Any):
    return 1 if x > 0 else 0


@positive.register(Number)
def _(x: Any):
    return max(x, 0)


@negative.register(Number)
def _(x: Any):
    return min(x, 0)


@sign.register(Number)
def _(x: Any):
    return -1 if x < 0 else 1


@nonzero.register(Number)
def _(x: Any):
    return 1 if x != 0 else 0


@quotient.register
def _(denominator: Number, numerator):
    return numerator / denominator if denominator != 0 else 0 * numerator


def _elementwise(function):
    """Lift a dispatcher to numpy object arrays, whose entries are numbers or symbols."""
    lifted = np.frompyfunc(function, 1, 1)
    function.register(np.ndarray, lambda x: lifted(x))


for _function in (step, positive, negative, sign, nonzero):
    _elementwise(_function)

_divide_entries = np.frompyfunc(quotient, 2, 1)


@quotient.register
def _(denominator: np.ndarray, numerator):
    return _divide_entries(denominator, numerator)
