"""What is explained: the initial relevance, as a function of the network's output."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtd.callers.copies import on_copies
from dtd.errors import InputError, NonFiniteError
from dtd.network.leaves import plain

Target = int | np.integer | Sequence[int] | np.ndarray | Tensor | Callable[[Tensor], Tensor]


def as_numbers(target: Any) -> Any:
    """A class as an int, lists and arrays as tensors; anything else as it is."""
    if isinstance(target, Integral) and not isinstance(target, bool):
        return int(target)
    if not isinstance(target, (list, tuple, np.ndarray)):
        return target
    try:
        found = np.asarray(target)
    except (ValueError, TypeError, RuntimeError):  # lists of several lengths
        return target
    if found.dtype.kind in "iu" or not found.size:
        return torch.as_tensor(found.astype(np.int64))
    return torch.as_tensor(found.copy()) if found.dtype.kind == "f" else target


def initial_relevance(output: Tensor, target: Target) -> Tensor:
    """The relevance that the pass starts from, a tensor of its own. # shape: that of the output"""
    if callable(target) and not isinstance(target, Tensor):
        target = on_copies(target)(output)
        if not isinstance(target, Tensor) or target.shape != output.shape:
            found = tuple(target.shape) if isinstance(target, Tensor) else type(target).__name__
            raise InputError(
                f"A target function must return initial relevance of shape {tuple(output.shape)}; found {found}."
            )
    target = plain("target", as_numbers(target))
    if isinstance(target, Tensor) and target.is_floating_point():
        if target.shape != output.shape:
            raise InputError(f"Initial relevance must have shape {tuple(output.shape)}; found {tuple(target.shape)}.")
        if not bool(target.isfinite().all()):
            raise NonFiniteError("Initial relevance must be finite; found NaN or infinity.")
        return target.to(output, copy=True)
    if output.ndim != 2:
        raise InputError(
            f"A class as target needs an output of shape (B, classes); found {tuple(output.shape)}. "
            "Give the initial relevance as a tensor of that shape."
        )
    classes = output.shape[1]
    if isinstance(target, str):
        raise InputError(
            f"A class is a number from 0 to {classes - 1}; found {target!r}. Look it up: names.index({target!r})."
        )
    if not isinstance(target, (int, Tensor)) or isinstance(target, bool):
        raise InputError(
            "A target is a class, one for each sample (a list, an array, a tensor), initial relevance or a function; found "
            f"{target!r}."
        )
    if isinstance(target, int):
        check_classes(target, target, classes, target)
        initial = torch.zeros_like(output)
        initial.select(1, target).copy_(output.select(1, target))
        return initial
    if target.dtype == torch.bool or target.is_floating_point() or target.shape not in ((), (len(output),)):
        raise InputError(
            f"A target is a class (int) or one for each of the {len(output)} samples; found a tensor of shape "
            f"{tuple(target.shape)} in {target.dtype}."
        )
    target = target.long()
    if len(output):
        check_classes(int(target.min()), int(target.max()), classes, target.tolist())
    chosen = torch.zeros_like(output).scatter_(1, target.to(output.device).expand(len(output))[:, None], 1.0)
    return output * chosen


def check_classes(least: int, most: int, classes: int, found: Any) -> None:
    """Raise :class:`InputError` for a class that is none."""
    if least < 0 or most >= classes:
        last = f" Classes count from 0; the last one is {classes - 1}." if least < 0 else ""
        raise InputError(f"The target must be a class from 0 to {classes - 1}; found {found}.{last}")


def target_at(target: Target, rows: slice) -> Target:
    """The target of some of the samples."""
    target = as_numbers(target)
    return target[rows] if isinstance(target, Tensor) and target.ndim else target


def target_of(target: Target | None, samples: Tensor) -> Target:
    """What is explained of each row, as a function of the output.

    Raises :class:`InputError` for initial relevance that is given as numbers: they do not change with the output.
    """
    target = as_numbers(target)
    if target is None or (isinstance(target, Tensor) and target.is_floating_point()):
        raise InputError(
            "A relevance model that recomputes the decomposition above needs a target that says what is explained of any "
            "output: a class, a class for each sample, or a function of the output that treats samples one by one; found "
            f"{'none' if target is None else 'initial relevance as numbers'}."
        )
    return target[samples] if isinstance(target, Tensor) and target.ndim else target
