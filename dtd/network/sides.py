"""Side values: what depends on an input that is not explained, evaluated anew at each call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dtd.network.lookups import MOVES


@dataclass(frozen=True)
class Side:
    """A value that depends on inputs but on no explained one: the result of step ``index`` of the side program.

    ``value`` is what it is for the sample that the layers are built at, in the exported shape. ``leaf`` is the input whose
    entries it holds, where it does nothing but move them. ``of_truth``: it holds truth values as numbers.
    """

    index: int
    value: Any
    leaf: int | None = None
    of_truth: bool = False

    @property
    def share(self) -> bool:
        """Whether it holds nothing but numbers from 0 to 1, whatever the inputs are."""
        return self.of_truth or (isinstance(self.value, Tensor) and self.value.dtype == torch.bool)


def are_shares(target: Any, sides: tuple[Side, ...]) -> bool:
    """Whether a call multiplies by side values from 0 to 1."""
    return target is torch.ops.aten.mul.Tensor and all(side.share for side in sides)


@dataclass(frozen=True)
class SideStep:
    """One call of the side program, or of a part of a graph; other values stand in its arguments."""

    function: Callable
    args: tuple
    kwargs: dict


def replaced(value: Any, kind: type, function: Callable[[Any], Any]) -> Any:
    """Nested lists, tuples and dicts with ``function`` of every leaf of type ``kind``."""
    if isinstance(value, kind):
        return function(value)
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(v, kind, function) for v in value)
    if isinstance(value, dict):
        return {key: replaced(v, kind, function) for key, v in value.items()}
    return value


@dataclass
class SideProgram:
    """Steps over the leaves of the inputs; results are numbered, the leaves first."""

    leaves: int
    steps: list[SideStep] = field(default_factory=list)

    def add(self, function: Callable, *args: Any, leaf: int | None = None, **kwargs: Any) -> Side:
        """One step more, evaluated at the sample that the layers are built at."""
        value = function(*replaced(args, Side, lambda side: side.value), **replaced(kwargs, Side, lambda side: side.value))
        self.steps.append(SideStep(function, args, kwargs))
        of_truth = function in MOVES and isinstance(args[0], Side) and args[0].share
        return Side(self.leaves + len(self.steps) - 1, value, leaf, of_truth)

    def needed(self, wanted: tuple[int, ...]) -> list[int]:
        """The steps that the wanted results need, in order."""
        used, pending = set(), list(wanted)
        while pending:
            index = pending.pop()
            if index >= self.leaves and index not in used:
                used.add(index)
                step = self.steps[index - self.leaves]
                replaced((step.args, step.kwargs), Side, lambda side: pending.append(side.index))
        return sorted(used)

    def run(self, leaves: list[Tensor], batched: list[bool], wanted: tuple[int, ...]) -> dict[int, Tensor]:
        """The wanted results for every sample, by number. # shape: (B, *leaf) -> (B, *result)

        Leaves that are not ``batched`` are the same for all samples; so is, with a first axis of size 1, what depends on
        these alone.
        """
        steps = self.needed(wanted)

        def one(*samples: Tensor) -> tuple[Tensor, ...]:
            values = {i: s.unsqueeze(0) if b else s for i, (s, b) in enumerate(zip(samples, batched, strict=True))}
            for index in steps:
                step = self.steps[index - self.leaves]
                args, kwargs = replaced((step.args, step.kwargs), Side, lambda side: values[side.index])
                values[index] = step.function(*args, **kwargs)
            return tuple(values[index] for index in wanted)

        if not wanted:
            return {}
        if not any(batched):
            return {index: value.unsqueeze(0) for index, value in zip(wanted, one(*leaves), strict=True)}
        none = any(b and not len(leaf) for leaf, b in zip(leaves, batched, strict=True))  # views of no entry are ambiguous
        given = [leaf.new_zeros(1, *leaf.shape[1:]) if none and b else leaf for leaf, b in zip(leaves, batched, strict=True)]
        results = torch.vmap(one, in_dims=tuple(0 if b else None for b in batched))(*given)
        shared = [bool(r.shape[0]) and r.stride(0) == 0 for r in results]
        kept = [r[:1] if s else r[:0] if none else r for r, s in zip(results, shared, strict=True)]
        return dict(zip(wanted, kept, strict=True))
