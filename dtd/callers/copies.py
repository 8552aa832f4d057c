"""Copies for functions that are a user's: what they write into their argument stays theirs."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, wraps
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtd.errors import InputError, check_parameter


def is_foreign(function: Any) -> bool:
    """Whether a function, or the class of an object, was written outside of this package."""
    if isinstance(function, partial):
        return is_foreign(function.func)
    module = getattr(function, "__module__", None) or type(function).__module__
    return module.partition(".")[0] != __name__.partition(".")[0]


class Handed:
    """Objects of this package that a user's functions receive: a copy has tensors of its own."""


def copied(value: Any) -> Any:
    """A tensor or an array of its own; containers and objects of this package with such values; anything else as it is."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copied, value))
    if type(value) in (tuple, list):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {key: copied(v) for key, v in value.items()}
    return copied_object(value) if isinstance(value, Handed) else value


def copied_object(value: Handed) -> Handed:
    """An object with the same fields, copied; what it has found out about itself is left out."""
    held = vars(value)
    names = [field.name for field in fields(value)] if is_dataclass(value) else list(held)
    found = object.__new__(type(value))
    vars(found).update({name: copied(held[name]) for name in names if name in held})
    return found


class OwnArguments:
    """A base class whose methods a user may write: those of classes from outside of this package receive copies.

    What this package asks of an object, the methods that its base classes declare, is called with arguments of its own; the
    package's own classes are left as they are.
    """

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if not is_foreign(cls):
            return
        shipped = [base for base in cls.__mro__[1:] if base is not object and not is_foreign(base)]
        for name, method in list(vars(cls).items()):
            asked = name == "__call__" or not name.startswith("_")
            if asked and isinstance(method, FunctionType) and any(name in vars(base) for base in shipped):
                setattr(cls, name, with_own_arguments(method))


def with_own_arguments(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is called on copies of its arguments."""

    @wraps(method)
    def on_its_own(self: Any, *values: Any, **named: Any) -> Any:
        return method(self, *map(copied, values), **{name: copied(value) for name, value in named.items()})

    return on_its_own


@dataclass(frozen=True)
class OnCopies:
    """A user's function, called on copies."""

    function: Callable[..., Any]

    def __call__(self, *values: Any) -> Any:
        return self.function(*map(copied, values))

    def __repr__(self) -> str:
        return repr(self.function)


def on_copies(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that leaves its arguments alone: a user's is called on copies, the package's own are trusted."""
    return OnCopies(function) if is_foreign(function) else function


def evaluated(function: Callable[[Any], Any], a: Any, name: str) -> Any:
    """A user's function of activations (damping, metric) as a tensor in their dtype that broadcasts to them.

    Raises :class:`InputError` for anything else; arguments that are no tensors (symbols of the proofs) are not looked at.
    """
    found = on_copies(function)(a)
    if not isinstance(a, Tensor):
        return found
    try:
        tensor = torch.as_tensor(found, dtype=a.dtype, device=a.device)
        fits = torch.broadcast_shapes(tensor.shape, a.shape) == a.shape
    except (TypeError, ValueError, RuntimeError) as error:
        what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise InputError(
            f"'{name}' must return a number or a tensor that broadcasts to {tuple(a.shape)}; found {what}."
        ) from error
    check_parameter(fits, name, f"a function whose values broadcast to {tuple(a.shape)}", tuple(tensor.shape))
    return tensor


def damping_of(damping: Callable[[Any], Any], z: Any) -> Any:
    """A damping function at pre-activations; raises :class:`InputError` for negative values. # shape: that of z"""
    found = evaluated(damping, z, "damping")
    if isinstance(found, Tensor):
        wrong = found[~(found >= 0)]
        check_parameter(not len(wrong), "damping", "a function with values >= 0", wrong[:1].tolist())
        return found.expand(z.shape)
    return found
