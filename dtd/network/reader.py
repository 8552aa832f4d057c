"""Checks of a call's inputs, before any work."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dtd.errors import InputError


@dataclass(frozen=True)
class Axes:
    """What the shapes of the tensors among the inputs are: one entry for each tensor."""

    names: tuple[str, ...]
    unbatched: tuple[bool, ...]  # the model takes it without a batch axis
    explained: tuple[bool, ...]
    shapes: tuple[tuple, ...]  # as exported; numbers, or symbols where an axis may vary
    dtypes: tuple[torch.dtype, ...]
    smallest: tuple[tuple[object, float, float], ...]  # (symbol, least, most) of each axis that may vary
    rows: Mapping[int, int]  # of the smallest table that an integer tensor indexes, by its place
    branches: tuple[tuple[Any, str], ...] = ()  # what the model's code asked of lengths and was told, and where

    @cached_property
    def simple(self) -> bool:
        """Whether there is one tensor, explained, whose shape is fixed."""
        return len(self.names) == 1 and self.explained[0] and not self.dynamic and self.dtypes[0].is_floating_point

    @cached_property
    def dynamic(self) -> bool:
        """Whether any axis may vary."""
        return any(not isinstance(size, int) for shape in self.shapes for size in shape)

    @cached_property
    def batched(self) -> tuple[bool, ...]:
        """Whether a call's tensor has a batch axis: not where samples share it."""
        return tuple(explained or not unbatched for explained, unbatched in zip(self.explained, self.unbatched, strict=True))

    @cached_property
    def wide(self) -> frozenset[int]:
        """Tensors that have a batch axis in a call and none in the model."""
        return frozenset(k for k, (u, b) in enumerate(zip(self.unbatched, self.batched, strict=True)) if u and b)

    def sizes(self, leaves: tuple[Tensor, ...]) -> tuple[int, ...]:
        """The sizes that may vary, as one sample has them."""
        if not self.dynamic:
            return ()
        pairs = zip(self.shapes, leaves, strict=True)
        return tuple(
            found
            for shape, leaf in pairs
            for size, found in zip(shape, leaf.shape, strict=True)
            if not isinstance(size, int)
        )

    def short(self, leaves: list[Tensor]) -> tuple[tuple[int, int], ...]:
        """``(input, axis)`` of the model's axes that may vary and are 1 long here, where the trace holds from 2 on."""
        from_two = {symbol for symbol, least, _ in self.smallest if least == 2}
        found = []
        for k, leaf in enumerate(leaves):
            behind = len(self.shapes[k]) - len(self.expected(k))
            lengths = leaf.shape[1 if self.batched[k] else 0 :] if isinstance(leaf, Tensor) else ()
            for axis, (size, length) in enumerate(zip(self.expected(k), lengths, strict=False), behind):
                if length == 1 and not isinstance(size, int) and size.node.expr in from_two:
                    found.append((k, axis))
        return tuple(found)

    def expected(self, k: int) -> tuple[Any, ...]:
        """The shape of one sample of a tensor, as a call gives it."""
        return self.shapes[k] if self.unbatched[k] else self.shapes[k][1:]

    def called(self, name: str) -> str:
        """What errors call an input."""
        return "The input" if len(self.names) == 1 else f"'{name}'"


def check_leaves(axes: Axes, leaves: list[Tensor], example: tuple[Tensor, ...]) -> int:
    """Raise for tensors of another shape or dtype than traced; returns the number of samples."""
    batches: dict[str, int] = {}
    symbols: dict[object, tuple[str, int]] = {}
    for k, (name, leaf) in enumerate(zip(axes.names, leaves, strict=True)):
        expected, behind = axes.expected(k), 1 if axes.batched[k] else 0
        written = ", ".join(("B",) * behind + tuple(map(str, expected)))
        fits = isinstance(leaf, Tensor) and leaf.ndim == len(expected) + behind
        if not fits or any(isinstance(e, int) and e != n for e, n in zip(expected, leaf.shape[behind:], strict=True)):
            found = tuple(leaf.shape) if isinstance(leaf, Tensor) else type(leaf).__name__
            raise InputError(
                f"{axes.called(name)} must have shape ({written}); found {found}. Another length needs "
                "dtd.trace(…, dynamic=) or, where the model's code fixes it, a trace at that length."
            )
        if leaf.dtype != axes.dtypes[k] and (
            leaf.is_floating_point() != axes.dtypes[k].is_floating_point or not axes.explained[k]
        ):
            raise InputError(f"{axes.called(name)} must be {axes.dtypes[k]}, as traced; found {leaf.dtype}.")
        if leaf.device != example[k].device:
            raise InputError(f"{axes.called(name)} must be on {example[k].device}, as traced; found {leaf.device}.")
        if leaf.is_floating_point() and not axes.explained[k] and bool(leaf.isnan().any()):
            raise InputError(f"{axes.called(name)} must not hold NaN.")
        if behind:
            batches[name] = len(leaf)
        check_sizes(axes, name, expected, tuple(leaf.shape[behind:]), symbols)
    check_branches(axes, {symbol: length for symbol, (_, length) in symbols.items()})
    if len(set(batches.values())) > 1:
        counts = ", ".join(f"{name}: {count}" for name, count in batches.items())
        raise InputError(f"All inputs must have the same number of samples; found {counts}.")
    return next(iter(batches.values()), 1)


def check_sizes(axes: Axes, name: str, expected: tuple, found: tuple[int, ...], symbols: dict) -> None:
    """Raise for a length that another input has otherwise, or that the model does not take."""
    bounds = {symbol: (least, most) for symbol, least, most in axes.smallest}
    for size, length in zip(expected, found, strict=True):
        if isinstance(size, int):
            continue
        symbol = size.node.expr
        least, most = bounds.get(symbol, (0, float("inf")))
        if not least <= length <= most:
            limit = f"at least {least}" if length < least else f"at most {most}"
            raise InputError(f"'{name}' must have a length of {limit} along its dynamic axis; found {length}.")
        other, known = symbols.setdefault(symbol, (name, length))
        if known != length:
            raise InputError(f"'{name}' and '{other}' must have the same length; found {length} and {known}.")


def check_branches(axes: Axes, lengths: Mapping[object, int]) -> None:
    """Raise for lengths at which the model's code takes another way than the one that was traced."""
    for asked, where in axes.branches:
        now = asked.xreplace(dict(lengths))
        if not now.free_symbols and not bool(now):
            raise InputError(
                f"At length {', '.join(map(str, lengths.values()))} the model's code takes another way than at the length "
                f"that it was traced with{where}, or fails: this network is not the model there. Trace the model on inputs "
                "of that length too and use that network for them."
            )


def check_ids(axes: Axes, leaves: list[Tensor]) -> None:
    """Raise for ids that a table does not have."""
    for k, size in axes.rows.items():
        if leaves[k].numel():
            low, high = (bound.item() for bound in leaves[k].aminmax())
            if low < 0 or high >= size:
                raise InputError(f"{axes.called(axes.names[k])} must hold ids from 0 to {size - 1}; found {low} to {high}.")
