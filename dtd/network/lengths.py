"""Axes of inputs that may vary from call to call."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node

from dtd.errors import InputError, TraceError
from dtd.network.capture import varying
from dtd.network.leaves import Signature
from dtd.network.reader import Axes

TORCH = os.path.dirname(torch.__file__)
CALLS = os.path.join("nn", "modules", "module.py")
FILLS = "infer_size"  # torch's function that finds the length left out in a new shape
Dynamic = Mapping[str, Mapping[int, Any]]
ONE = " An axis of length 1 counts as one that is always 1, as it broadcasts: give an example that is at least 2 long there."


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


def exported_shape(node: Node) -> tuple[Any, ...]:
    """The shape of an exported input: symbols for lengths that may vary, numbers for those that the model's code fixes."""
    sizes = node.meta["val"].shape
    return tuple(int(size) if isinstance(size, torch.SymInt) and size.node.expr.is_number else size for size in sizes)


def branches(placeholders: Iterable[Node]) -> tuple[tuple[Any, str], ...]:
    """What the model's own code asked of lengths while it was traced, as it was answered, and where: ``if n % 2 == 0``.

    Of what torch's operations ask on their way only whether a shape can be filled counts; the rest chooses between ways to
    the same result.
    """
    sizes = (size for node in placeholders for size in node.meta["val"].shape if isinstance(size, torch.SymInt))
    asked = {id(size.node.shape_env): size.node.shape_env.guards for size in sizes}
    found = {}
    for guard in (guard for guards in asked.values() for guard in guards):
        place = guard.sloc.framework_loc
        name = getattr(place, "filename", "")
        if name.startswith(TORCH) and not name.endswith(CALLS):
            if getattr(place, "name", "") == FILLS:
                found[guard.expr] = ""
        else:  # the innermost frame, or the one that called the model
            found[guard.expr] = "" if name.endswith(CALLS) else f" ({name}, line {place.lineno})"
    return tuple(found.items())


def limit(bound: Any) -> float:
    """The least or most that a length may be."""
    return int(bound) if -(2**62) < bound < 2**62 else float("inf") if bound > 0 else 0


def check_declared(names: tuple[str, ...], shapes: tuple[tuple, ...], dynamic: Dynamic | None) -> None:
    """Raise for an axis that was declared dynamic and that the model fixes."""
    for name, wanted in (dynamic or {}).items():
        for axis in wanted:
            size = shapes[names.index(name)][axis]
            if isinstance(size, int):
                advice = ONE if size == 1 else ""
                raise TraceError(f"Axis {axis} of '{name}' was declared dynamic; the model fixes it to {size}.{advice}")


def other_lengths(axes: Axes, sample: list[Tensor]) -> Iterator[list[Tensor]]:
    """The sample one place longer, and one shorter, along all axes that may vary; what is added repeats the first places.

    Nothing where an axis depends on others in another way than being equal, or has no room.
    """
    bounds = {symbol: (least, most) for symbol, least, most in axes.smallest}
    moving = [
        (k, axis, size.node.expr)
        for k, shape in enumerate(axes.shapes)
        for axis, size in enumerate(shape)
        if not isinstance(size, int)
    ]
    for step in (1, -1):
        found = list(sample)
        for k, axis, symbol in moving:
            least, most = bounds.get(symbol, (0, -1))  # no bounds: it is computed of others
            length = found[k].shape[axis] + step
            if not max(least, 2) <= length <= most:
                break
            places = torch.arange(length, device=found[k].device) % found[k].shape[axis]
            found[k] = found[k].index_select(axis, places)
        else:
            yield found


def at_length_one(
    retrace: partial, model: nn.Module, signature: Signature, short: tuple[tuple[int, int], ...], leaves: list[Tensor]
) -> Any:
    """The model traced at inputs with axes of length 1, ``short`` by input and axis, which are then always 1 long."""
    wanted = retrace.keywords["dynamic"] or {}
    fixed = {(signature.names[k], axis) for k, axis in short}
    dynamic = {name: {a: d for a, d in axes.items() if (name, a) not in fixed} for name, axes in wanted.items()}
    few = [leaf[:1] if len(leaf) else leaf.new_ones(1, *leaf.shape[1:]) for leaf in leaves]
    try:
        return retrace(model, inputs=signature.structured(few), dynamic=dynamic or None)
    except TraceError as error:
        short_names = ", ".join(f"axis {axis} of '{signature.names[k]}'" for k, axis in short)
        raise InputError(f"The model could not be traced anew for a length of 1 ({short_names}): {error}") from error
