"""Moved data: reshape, permute, slice, concatenate, expand, pad."""

import operator
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.network.aten import aten
from dtd.network.fixed import Fixed, exported
from dtd.network.lowering import Lowering, Ref
from dtd.network.sizes import Shape, stored
from dtd.primitive import Rearrange, Reshape


def rearrange(low: Lowering, node, kind, function, inputs: tuple[Ref, ...], constants=None, full=None) -> Ref:
    """Add a layer that moves data. # shape: function: (B, *shape) for each input -> (B, *shape)"""
    op = Rearrange(function, tuple(x.shape for x in inputs), constants)
    image = op.image(*(x.domain for x in inputs))
    return low.emit(node, kind, op, inputs, image=image, full=full)


def reshaped(low: Lowering, node, x: Ref, full: Shape) -> Ref:
    """The same entries in the exported shape ``full``; no layer where a sample's shape stays what it is."""
    shown = x.shown
    if isinstance(shown, Tensor) and x.shape != stored(full):
        shown = shown.expand(x.shape).reshape(stored(full))
    if x.shape == stored(full):
        return replace(x, full=full, shown=shown)
    if prod(x.shape) != prod(stored(full)):
        raise InputError(
            f"The model does not take inputs of these lengths: {prod(x.shape)} entries do not fill shape {stored(full)}."
        )
    ref = low.emit(node, "reshape", Reshape(x.shape, stored(full)), (x,), full=full)
    return replace(ref, shown=shown)


def reshape(low: Lowering, node, x, *args, **kwargs):
    return reshaped(low, node, x, low.full(node))


def shifted(axis: int, x: Ref) -> int:
    """An axis of the exported shape, the batch being in front of it."""
    return axis % len(x.full) + 1


def note_axis(low: Lowering, node, x: Ref, *axes: int) -> None:
    """Remember an op along an axis that may be the batch's."""
    if any(x.axis(axis) < 0 for axis in axes):
        low.suspect(node)


def moved(low: Lowering, node, kind: str, op, x: Ref, full: Shape | None = None) -> Ref:
    """A layer that moves the entries of one activation; ``op`` sees the exported shape behind the batch."""
    full = low.full(node) if full is None else full
    return rearrange(low, node, kind, exported(op, (x,), full), (x,), full=full)


def permute(low: Lowering, node, x, axes, full=None):
    full = low.full(node) if full is None else full
    order = [axis % len(x.full) for axis in axes]
    long = [axis for axis in order if x.full[axis] > 1]
    if long == sorted(long):  # only axes of size 1 change places
        return reshaped(low, node, x, full)
    behind = [0, *(axis + 1 for axis in order)]
    return moved(low, node, "permute", Fixed(torch.permute, (behind,)), x, full)


def transpose(low: Lowering, node, x, first, second, full=None):
    order = list(range(len(x.full)))
    order[first], order[second] = order[second], order[first]
    return permute(low, node, x, order, full)


def movedim(low: Lowering, node, x, source, target):
    named = torch.empty([2 + axis for axis in range(len(x.full))], device="meta")  # each size is another
    return permute(low, node, x, [size - 2 for size in torch.movedim(named, source, target).shape])


def transposed_matrix(low: Lowering, node, x):
    return transpose(low, node, x, -1, -2) if len(x.full) > 1 else x


def flip(low: Lowering, node, x, axes):
    note_axis(low, node, x, *axes)
    axes = [shifted(axis, x) for axis in axes if x.full[axis] > 1]
    return moved(low, node, "flip", Fixed(torch.flip, (axes,)), x) if axes else x


def rolled_flat(a: Tensor, shifts: int) -> Tensor:
    """The entries of each sample, rolled as one row."""
    return a.flatten(1).roll(shifts, 1).view_as(a)


def roll(low: Lowering, node, x, shifts, axes=()):
    if not axes:
        return moved(low, node, "roll", Fixed(rolled_flat, (shifts,)), x)
    shifts, axes = ([v] if isinstance(v, int) else list(v) for v in (shifts, axes))
    note_axis(low, node, x, *axes)
    kept = [(s, shifted(axis, x)) for s, axis in zip(shifts, axes, strict=True) if x.full[axis] > 1]
    if not kept:
        return x
    return moved(low, node, "roll", Fixed(torch.roll, tuple(zip(*kept, strict=True))), x)


def taken(low: Lowering, node, x, axis=0, start=None, end=None, step=1):
    if low.full(node) == x.full:
        return x
    note_axis(low, node, x, axis)
    place = (slice(None),) * shifted(axis, x)
    picked = (*place, slice(start, end, step))
    return moved(low, node, "slice", Fixed(operator.getitem, (picked,)), x)


def narrow(low: Lowering, node, x, axis, start, length):
    return taken(low, node, x, axis, start, start + length)


def selected(low: Lowering, node, x, axis, index):
    note_axis(low, node, x, axis)
    if x.full[axis] == 1:
        return reshape(low, node, x)
    behind = shifted(axis, x)
    return moved(low, node, "slice", Fixed(torch.select, (behind, index)), x)


def part_of(a: Tensor, op: Callable[..., Any], sizes: Any, axis: int, number: int) -> Tensor:
    """One of the parts that a split gives."""
    return op(a, sizes, axis)[number]


def parts(op):
    """One slice for each part of a split; ``op`` gives them, the axis being counted behind the batch."""

    def handler(low, node, x, sizes, axis=0):
        note_axis(low, node, x, axis)
        behind, found = shifted(axis, x), []
        for i, part in enumerate(node.meta["val"]):
            full = low.full(node, part)
            if full == x.full:
                found.append(x)
            else:
                found.append(moved(low, node, "slice", Fixed(part_of, (op, sizes, behind, i)), x, full))
        return tuple(found)

    return handler


def unbind(low: Lowering, node, x, axis=0):
    note_axis(low, node, x, axis)
    behind, fulls = shifted(axis, x), [low.full(node, part) for part in node.meta["val"]]
    if len(fulls) == 1:
        return (reshaped(low, node, x, fulls[0]),)
    return tuple(moved(low, node, "slice", Fixed(torch.select, (behind, i)), x, full) for i, full in enumerate(fulls))


def expanded(low: Lowering, node, x: Ref, full: Shape) -> Ref:
    """An activation broadcast to the exported shape ``full``; itself where a sample has its shape."""
    shape, before = stored(full), x.shape
    if before == shape:
        return replace(x, full=full)
    wide = (*[1] * (len(shape) - len(before)), *before)
    return rearrange(low, node, "expand", Fixed(widened, (wide, shape)), (x,), full=full)


def widened(a: Tensor, wide: Shape, shape: Shape) -> Tensor:
    """Each sample in the shape ``wide``, broadcast to ``shape``."""
    return a.reshape(a.shape[0], *wide).expand(a.shape[0], *shape)


def expand(low: Lowering, node, x, *args, **kwargs):
    if isinstance(x.shown, Tensor):
        return replace(expanded(low, node, replace(x, shown=None), low.full(node)), shown=x.shown)
    return expanded(low, node, x, low.full(node))


def getitem(low: Lowering, node, values, index):
    return values[index]


STRUCTURE: dict[Any, Any] = {
    operator.getitem: getitem,
    **dict.fromkeys(
        (
            aten.view.default,
            aten.reshape.default,
            aten._unsafe_view.default,
            aten.flatten.using_ints,
            aten.unflatten.int,
            aten.squeeze.dim,
            aten.squeeze.dims,
            aten.squeeze.default,
            aten.unsqueeze.default,
        ),
        reshape,
    ),
    aten.permute.default: permute,
    aten.transpose.int: transpose,
    aten.t.default: transposed_matrix,
    aten.mT.default: transposed_matrix,
    aten.movedim.intlist: movedim,
    aten.movedim.int: movedim,
    aten.flip.default: flip,
    aten.roll.default: roll,
    aten.slice.Tensor: taken,
    aten.select.int: selected,
    aten.narrow.default: narrow,
    aten.split.Tensor: parts(torch.split),
    aten.split_with_sizes.default: parts(torch.split),
    aten.chunk.default: parts(torch.chunk),
    aten.unbind.int: unbind,
    aten.unsafe_split.Tensor: parts(torch.split),
    aten.unsafe_chunk.default: parts(torch.chunk),
    aten.expand.default: expand,
}
