"""Choices among entries: masks, maxima, sorted values, entries at given places."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from dtd.domain import interval
from dtd.network.aten import aten
from dtd.network.discrete import Discrete, Routes, composed, sources
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.masks import HIDDEN, aligned, softmax_follows
from dtd.network.ops.structure import expanded
from dtd.network.sizes import Shape, stored
from dtd.primitive import Filled, Gather, Pick, Switch


def where(low: Lowering, node, condition, x, y):
    """``x`` where the condition is true and ``y`` elsewhere."""
    if isinstance(condition, Ref):
        raise low.unsupported(node, "Its condition must be truth values.")
    if isinstance(condition, Discrete):
        x, y = (v if isinstance(v, Ref) else torch.as_tensor(v, dtype=low.like.dtype) for v in (x, y))
        return routed(low, node, "where", aten.where.self, (condition, x, y), {})
    full = low.full(node)
    mask = condition if isinstance(condition, Tensor) else torch.as_tensor(condition)
    if isinstance(x, Ref) and isinstance(y, Ref):
        pair = tuple(expanded(low, node, replace(v, shown=None), full) for v in (x, y))
        op = Switch(aligned(low, mask, full))
        return low.emit(node, "where", op, pair, image=op.image(*(v.domain for v in pair)), full=full)
    if isinstance(y, Ref):
        return filled_layer(low, node, y, ~mask, x, full)
    return filled_layer(low, node, x, mask, y, full)


def masked_fill(low: Lowering, node, x, mask, value):
    """``value`` where the mask is true."""
    if isinstance(mask, Discrete):
        return where(low, node, composed(torch.logical_not, (mask,), {}, mask.full, torch.bool), x, value)
    if not isinstance(x, Ref) or isinstance(value, Ref):
        return where(low, node, mask, value, x)
    return filled_layer(low, node, x, ~mask, value, low.full(node))


def filled_layer(low: Lowering, node, x: Ref, mask: Tensor, value: Tensor | float, full: Shape) -> Ref:
    """An activation with a constant where the mask is false; a softmax that follows does not see what is filled as low."""
    number = torch.as_tensor(value, dtype=low.like.dtype, device=low.like.device)
    constant = not low.varying or not isinstance(value, Tensor)
    lowest = constant and bool((number < HIDDEN).all())
    seen = aligned(low, mask, full)
    if lowest and softmax_follows(node):
        ref = expanded(low, node, replace(x, shown=None), full)
        return replace(ref, shown=seen if x.shown is None else x.shown & seen)
    ref = expanded(low, node, replace(x, shown=None), full)
    where_constant = interval(*(bound.item() for bound in number.aminmax())) if constant else interval(-torch.inf, torch.inf)
    op = Filled(seen, low.constant(node, number, full), where_constant)
    return low.emit(node, "fill", op, (ref,), image=op.image(ref.domain), full=full)


def routed(low: Lowering, node, kind: str, function: Callable, args: tuple, kwargs: dict, full: Shape | None = None) -> Ref:
    """A layer that moves entries to where activations say."""
    full = low.full(node) if full is None else full
    steering = sources([v for v in leaves_of(args, kwargs) if isinstance(v, Discrete)])
    moving = tuple({v.index: v for v in leaves_of(args, kwargs) if isinstance(v, Ref)}.values())
    refs, shape = (*steering, *moving), stored(full)
    constants = [v for v in leaves_of(args, kwargs) if isinstance(v, Tensor) and v.is_floating_point()]
    fixed = interval(*(b.item() for b in torch.cat([c.flatten() for c in constants]).aminmax())) if constants else None
    routes = Routes(function, args, kwargs, refs, len(steering), shape)
    op = Pick(routes, tuple(ref.shape for ref in refs), len(steering), fixed)
    return low.emit(node, kind, op, refs, image=op.image(*(ref.domain for ref in refs)), full=full)


def leaves_of(args: tuple, kwargs: dict) -> list:
    """All leaves of arguments."""
    return list(torch.utils._pytree.tree_leaves((args, kwargs)))


def entries_at(kind: str):
    """Handler of an op that reads entries at places that are constants, or that activations say."""

    def handler(low, node, *args, **kwargs):
        if any(isinstance(v, Discrete) for v in leaves_of(args, kwargs)):
            return routed(low, node, kind, node.target, args, kwargs)
        return gathered(low, node, kind, *args, **kwargs)

    return handler


def gathered(low: Lowering, node, kind: str, *args, **kwargs) -> Ref:
    """A layer for any op that moves entries of activations, and constants, to other places.

    The op itself is run on the numbers of the entries, which tells where each of its outputs comes from.
    """
    refs = tuple({v.index: v for v in leaves_of(args, kwargs) if isinstance(v, Ref)}.values())
    start, numbers = 1, {}
    for ref in refs:
        size = torch.Size(ref.shape).numel()
        numbers[ref.index] = torch.arange(start, start + size, dtype=torch.float64, device=low.like.device)
        start += size

    def run(entry, constant) -> Tensor:
        def put(v):
            if isinstance(v, Ref):
                return entry(numbers[v.index]).reshape(v.full)
            return constant(v) if isinstance(v, Tensor) and v.is_floating_point() else v

        found = node.target(*torch.utils._pytree.tree_map(put, args), **torch.utils._pytree.tree_map(put, kwargs))
        return found.reshape(stored(low.full(node)))

    index = run(lambda n: n, lambda t: torch.zeros_like(t, dtype=torch.float64)).long() - 1
    values = run(torch.zeros_like, lambda t: t.double()).to(low.like)
    fixed = None if low.varying else bounds(index, values)
    constants = values if low.varying or bool((index < 0).any()) else None
    op = Gather(index, constants, tuple(ref.shape for ref in refs), low.shape(node), fixed)
    return low.emit(node, kind, op, refs, image=op.image(*(ref.domain for ref in refs)))


def bounds(index: Tensor, values: Tensor):
    """Where the constants among outputs lie; None where there are none."""
    constants = values[index < 0]
    return interval(*(b.item() for b in constants.aminmax())) if constants.numel() else None


def mover(kind: str):
    """Handler of an op that moves entries whatever they are."""

    def handler(low, node, *args, **kwargs):
        return gathered(low, node, kind, *args, **kwargs)

    return handler


SELECTIONS = {
    aten.where.self: where,
    aten.where.ScalarOther: where,
    aten.where.ScalarSelf: where,
    aten.masked_fill.Scalar: masked_fill,
    aten.masked_fill.Tensor: masked_fill,
    aten.gather.default: entries_at("gather"),
    aten.index.Tensor: entries_at("gather"),
    aten.index_select.default: entries_at("slice"),
    aten.scatter.src: entries_at("scatter"),
    **{
        op: mover(op.__name__.split(".")[0])
        for op in (
            aten.im2col.default,
            aten.unfold.default,
            aten.pixel_shuffle.default,
            aten.pixel_unshuffle.default,
            aten.channel_shuffle.default,
            aten.as_strided.default,
            aten.slice_scatter.default,
            aten.select_scatter.default,
            aten.diagonal.default,
            aten.diag_embed.default,
            aten.tril.default,
            aten.triu.default,
            aten.repeat_interleave.self_int,
            aten.upsample_nearest1d.vec,
            aten.upsample_nearest2d.vec,
            aten.upsample_nearest3d.vec,
            aten.upsample_nearest1d.default,
            aten.upsample_nearest2d.default,
            aten.rot90.default,
            aten.take_along_dim.default,
            aten._unsafe_index.Tensor,
            aten.index_put.default,
            aten.squeeze_copy.dim,
            aten.view_copy.default,
            aten.tile.default,
        )
    },
}
