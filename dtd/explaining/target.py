"""What is explained: the initial relevance, as a function of the network's output."""

from abc import abstractmethod
from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import torch
from torch import Tensor

from dtd.callers.copies import on_copies
from dtd.errors import InputError, NonFiniteError
from dtd.network.leaves import plain

Target = int | Tensor | Callable[[Tensor], Tensor]


class OfSamples:
    """A target that has something for each sample of a batch."""

    @abstractmethod
    def of_rows(self, rows: slice | Tensor) -> Self:
        """That of some samples, in any order and as often as wanted."""


def initial_relevance(output: Tensor, target: Target) -> Tensor:
    """The relevance that the pass starts from, a tensor of its own. # shape: that of the output"""
    if callable(target) and not isinstance(target, Tensor):
        target = on_copies(target)(output)
        if not isinstance(target, Tensor) or target.shape != output.shape:
            found = tuple(target.shape) if isinstance(target, Tensor) else type(target).__name__
            raise InputError(
                f"A target function must return initial relevance of shape {tuple(output.shape)}; found {found}."
            )
    target = plain("target", target)
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
    if isinstance(target, Integral) and not isinstance(target, bool):
        target = int(target)  # numpy's too
    if not isinstance(target, (int, Tensor)) or isinstance(target, bool):
        raise InputError(f"A target is a class, a tensor of classes, initial relevance or a function; found {target!r}.")
    if isinstance(target, int):
        if not -output.shape[1] <= target < output.shape[1]:
            raise InputError(f"The target must be a class from 0 to {output.shape[1] - 1}; found {target}.")
        initial = torch.zeros_like(output)
        initial.select(1, target).copy_(output.select(1, target))
        return initial
    if target.dtype == torch.bool or target.is_floating_point() or target.shape not in ((), (len(output),)):
        raise InputError(
            f"A target is a class (int) or one for each of the {len(output)} samples; found a tensor of shape "
            f"{tuple(target.shape)} in {target.dtype}."
        )
    classes, target = output.shape[1], target.long()
    if len(output) and not bool(((target >= -classes) & (target < classes)).all()):
        raise InputError(f"The target must be a class from 0 to {classes - 1}; found {target.tolist()}.")
    chosen = torch.zeros_like(output).scatter_(1, (target % classes).expand(len(output))[:, None], 1.0)
    return output * chosen


def target_at(target: Any, rows: slice | Tensor) -> Any:
    """The target of some of the samples."""
    if isinstance(target, OfSamples):
        return target.of_rows(rows)
    return target[rows] if isinstance(target, Tensor) and target.ndim else target


def target_of(target: Target | None, samples: Tensor) -> Target:
    """What is explained of each row, as a function of the output.

    Raises :class:`InputError` for initial relevance that is given as numbers: they do not change with the output.
    """
    if target is None or (isinstance(target, Tensor) and target.is_floating_point()):
        raise InputError(
            "A relevance model that recomputes the decomposition above needs a target that says what is explained of any "
            "output: a class, a class for each sample, or a function of the output that treats samples one by one; found "
            f"{'none' if target is None else 'initial relevance as numbers'}."
        )
    return target_at(target, samples)
