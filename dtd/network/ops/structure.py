"""Moved data: reshape, permute, slice, concatenate, expand, pad."""

import operator

import torch

from dtd.domain import Box, interval
from dtd.network.lowering import Lowering, Ref, Symbolic, flatten
from dtd.primitive import Rearrange, Reshape, ZeroPad

aten = torch.ops.aten


def rearrange(low: Lowering, node, kind, function, inputs: tuple[Ref, ...], constants=None, shape=None) -> Ref:
    """Add a layer that moves data."""
    op = Rearrange(function, tuple(x.shape for x in inputs), constants)
    image = op.image(*(x.domain for x in inputs))
    return low.emit(node, kind, op, inputs, image=image, shape=shape)


def reshape(low: Lowering, node, x, *args, **kwargs):
    shape = low.shape(node)
    return x if shape == x.shape else low.emit(node, "reshape", Reshape(x.shape, shape), (x,))


def moved(kind: str):
    """Handler of an op on one activation whose arguments are constants and which keeps the batch axis."""

    def handler(low, node, x, *args, **kwargs):
        check_static(low, node, args, kwargs)
        return rearrange(low, node, kind, lambda a: node.target(a, *args, **kwargs), (x,))

    return handler


def along_axes(kind: str):
    """Handler of a flip or roll, which must name axes other than the batch."""

    def handler(low, node, x, *args):
        axes = [axis % (len(x.shape) + 1) for axis in args[-1]] if len(args) > (kind == "roll") else [0]
        if 0 in axes or not axes:
            raise low.unsupported(node, "It mixes samples: name other axes than the first.")
        return moved(kind)(low, node, x, *args)

    return handler


def check_static(low: Lowering, node, *values) -> None:
    """Raise for arguments that depend on the batch size or are activations."""
    if any(isinstance(v, (Ref, Symbolic)) for v in flatten(list(values))):
        raise low.unsupported(node, "Its arguments must be constants that do not depend on the batch size.")


def sliced(low: Lowering, node, x, axis=0, start=None, end=None, step=1):
    if axis % (len(x.shape) + 1) == 0:
        if start in (None, 0) and step == 1 and (end is None or end == torch.iinfo(torch.int64).max):
            return x
        raise low.unsupported(node, "It picks samples of a batch; slice along another axis.")
    return moved("slice")(low, node, x, axis, start, end, step)


def selected(low: Lowering, node, x, axis, index):
    if axis % (len(x.shape) + 1) == 0:
        raise low.unsupported(node, "It picks one sample of a batch; select along another axis.")
    return moved("slice")(low, node, x, axis, index)


def split(low: Lowering, node, x, *args, **kwargs):
    """One slice for each part."""
    check_static(low, node, args, kwargs)
    parts = node.meta["val"]
    return tuple(
        rearrange(low, node, "slice", lambda a, i=i: node.target(a, *args, **kwargs)[i], (x,), shape=low.shape(node, part))
        for i, part in enumerate(parts)
    )


def expanded(low: Lowering, node, x: Ref, shape: tuple[int, ...]) -> Ref:
    """An activation broadcast to one sample of ``shape``; itself where it has it."""
    if x.shape == shape:
        return x
    if len(x.shape) != len(shape):
        raise low.unsupported(
            node, f"It broadcasts {x.shape} to {shape} for one sample, which would pair samples with other axes."
        )
    return rearrange(low, node, "expand", lambda a: a.expand(a.shape[0], *shape), (x,), shape=shape)


def expand(low: Lowering, node, x, *args, **kwargs):
    shape = low.shape(node)
    if len(x.shape) == len(shape):
        return expanded(low, node, x, shape)
    raise low.unsupported(node, "It adds axes before the batch.")


def concatenate(op):
    """``cat`` or ``stack`` of activations and constants along an axis other than the batch."""

    def handler(low, node, tensors, axis=0):
        refs = tuple(t for t in tensors if isinstance(t, Ref))
        ndim = len(refs[0].shape) + (1 if op is torch.cat else 2)
        if axis % ndim == 0:
            raise low.unsupported(node, "It joins samples; concatenate along another axis.")

        def join(*activations):
            following = iter(activations)
            batch = activations[0].shape[0]
            return op([next(following) if isinstance(t, Ref) else t.expand(batch, *t.shape[1:]) for t in tensors], axis)

        constants = [t for t in tensors if not isinstance(t, Ref)]
        values = torch.cat([t.flatten() for t in constants]) if constants else None
        present = None if values is None else Box(values.min().item(), values.max().item())
        return rearrange(low, node, "concatenate", join, refs, present)

    return handler


def pad(low: Lowering, node, x, padding, mode="constant", value=None):
    def function(a):
        return torch.nn.functional.pad(a, padding, mode, value)

    if mode != "constant":
        return rearrange(low, node, "pad", function, (x,))
    constant = interval(float(value or 0.0), float(value or 0.0))
    if value:
        return rearrange(low, node, "pad", function, (x,), constant)
    widths = tuple(zip(padding[::2], padding[1::2], strict=True))[::-1]
    return low.emit(node, "pad", ZeroPad(function, (x.shape,), constant, widths), (x,))


def constant_pad(low: Lowering, node, x, padding, value=0):
    return pad(low, node, x, padding, "constant", value)


def getitem(low: Lowering, node, values, index):
    return values[index]


HANDLERS = {
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
    aten.permute.default: moved("permute"),
    aten.transpose.int: moved("permute"),
    aten.movedim.intlist: moved("permute"),
    aten.movedim.int: moved("permute"),
    aten.flip.default: along_axes("flip"),
    aten.roll.default: along_axes("roll"),
    aten.pixel_shuffle.default: moved("pixel_shuffle"),
    aten.slice.Tensor: sliced,
    aten.select.int: selected,
    aten.narrow.default: moved("slice"),
    aten.index_select.default: moved("slice"),
    aten.split.Tensor: split,
    aten.split_with_sizes.default: split,
    aten.chunk.default: split,
    aten.expand.default: expand,
    aten.repeat.default: moved("repeat"),
    aten.cat.default: concatenate(torch.cat),
    aten.stack.default: concatenate(torch.stack),
    aten.pad.default: pad,
    aten.constant_pad_nd.default: constant_pad,
}
