"""Axes of inputs that may vary from call to call."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dtd.errors import TraceError
from dtd.network.capture import varying

Dynamic = Mapping[str, Mapping[int, Any]]


def moving(
    names: tuple[str, ...], leaves: list[Tensor], unbatched: tuple[bool, ...], dynamic: Dynamic | None
) -> list[dict[int, Any]]:
    """The axes of each input that may vary."""
    lengths = {leaf.shape[1] for leaf, u in zip(leaves, unbatched, strict=True) if is_sequence(leaf, u)}
    found = []
    for name, leaf, free in zip(names, leaves, unbatched, strict=True):
        wanted = (dynamic or {}).get(name)
        if wanted is None:
            shares = not free and leaf.ndim > 1 and leaf.shape[1] in lengths and not leaf.is_floating_point()
            wanted = {1: None} if is_sequence(leaf, free) or shares else {}
        found.append(varying(name, wanted, tuple(leaf.shape), free))
    return found


def is_sequence(leaf: Tensor, unbatched: bool) -> bool:
    """Whether an input holds integers one after the other."""
    return not unbatched and leaf.dtype in (torch.int64, torch.int32) and leaf.ndim > 1 and leaf.shape[1] > 1


def limit(bound: Any) -> float:
    """The least or most that a length may be."""
    return int(bound) if -(2**62) < bound < 2**62 else float("inf") if bound > 0 else 0


def check_declared(names: tuple[str, ...], shapes: tuple[tuple, ...], dynamic: Dynamic | None) -> None:
    """Raise for an axis that was declared dynamic and that the model fixes."""
    for name, wanted in (dynamic or {}).items():
        for axis in wanted:
            size = shapes[names.index(name)][axis]
            if isinstance(size, int):
                raise TraceError(f"Axis {axis} of '{name}' was declared dynamic; the model fixes it to {size}.")
