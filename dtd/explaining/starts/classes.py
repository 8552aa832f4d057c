"""Classes of contrasts: one for all samples, or one for each."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor

from dtd.callers.numbers import as_python
from dtd.errors import InputError


class PerSample(tuple[int, ...]):
    """A class for each sample."""


def of_each(given: Any, name: str) -> Any:
    """An integer tensor as the classes of samples (or, without an axis, as one class); a sequence as a tuple."""
    if not isinstance(given, Tensor):
        given = as_python(given)
        return tuple(given) if isinstance(given, (list, range, set, frozenset)) else given
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool or given.ndim > 1:
        raise InputError(
            f"'{name}' must be a class or an integer tensor (B,), a class for each sample; found {given.dtype} of shape "
            f"{tuple(given.shape)}."
        )
    return PerSample(given.tolist()) if given.ndim else int(given)


def rows_of(given: Any, rows: slice | Tensor) -> Any:
    """The classes of some samples."""
    return PerSample(at_samples(given, rows)) if isinstance(given, PerSample) else given


def at_samples(values: Sequence[int], rows: slice | Tensor) -> Sequence[int]:
    """Some entries, in any order and as often as wanted."""
    return values[rows] if isinstance(rows, slice) else [values[i] for i in rows.tolist()]


def is_class(number: object, classes: int) -> TypeGuard[int]:
    """Whether a number is a class."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < classes
