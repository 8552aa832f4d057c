"""Choices among entries: masks, maxima, sorted values, entries at given places."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from dtd.domain import interval
from dtd.network.discrete import Discrete, Routes, composed, sources
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.masks import HIDDEN, aligned, softmax_follows
from dtd.network.ops.structure import expanded, reshaped
from dtd.network.sizes import Shape, stored
from dtd.primitive import Filled, Gather, Pick, Where

aten = torch.ops.aten


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
        op = Where(aligned(low, mask, full))
        return low.emit(node, "where", op, pair, image=op.image(*(v.domain for v in pair)), full=full)
    if isinstance(y, Ref):
        return filled(low, node, y, ~mask, x, full)
    return filled(low, node, x, mask, y, full)


def masked_fill(low: Lowering, node, x, mask, value):
    """``value`` where the mask is true."""
    if isinstance(mask, Discrete):
        return where(low, node, composed(torch.logical_not, (mask,), {}, mask.full, torch.bool), x, value)
    if not isinstance(x, Ref) or isinstance(value, Ref):
        return where(low, node, mask, value, x)
    return filled(low, node, x, ~mask, value, low.full(node))


def filled(low: Lowering, node, x: Ref, mask: Tensor, value: Tensor | float, full: Shape) -> Ref:
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


def routed(low: Lowering, node, kind: str, function: Callable, args: tuple, kwargs: dict) -> Ref:
    """A layer that moves entries to where activations say."""
    steering = sources([v for v in flat(args, kwargs) if isinstance(v, Discrete)])
    moving = tuple({v.index: v for v in flat(args, kwargs) if isinstance(v, Ref)}.values())
    refs, shape = (*steering, *moving), low.shape(node)
    constants = [v for v in flat(args, kwargs) if isinstance(v, Tensor) and v.is_floating_point()]
    fixed = interval(*(b.item() for b in torch.cat([c.flatten() for c in constants]).aminmax())) if constants else None
    routes = Routes(function, args, kwargs, refs, len(steering), shape)
    op = Pick(routes, tuple(ref.shape for ref in refs), len(steering), fixed)
    return low.emit(node, kind, op, refs, image=op.image(*(ref.domain for ref in refs)))


def flat(args: tuple, kwargs: dict) -> list:
    """All leaves of arguments."""
    return list(torch.utils._pytree.tree_leaves((args, kwargs)))


def entries_at(kind: str):
    """Handler of an op that reads entries at places that are constants, or that activations say."""

    def handler(low, node, *args, **kwargs):
        if any(isinstance(v, Discrete) for v in flat(args, kwargs)):
            return routed(low, node, kind, node.target, args, kwargs)
        return gathered(low, node, kind, *args, **kwargs)

    return handler


def gathered(low: Lowering, node, kind: str, *args, **kwargs) -> Ref:
    """A layer for any op that moves entries of activations, and constants, to other places.

    The op itself is run on the numbers of the entries, which tells where each of its outputs comes from.
    """
    refs = tuple({v.index: v for v in flat(args, kwargs) if isinstance(v, Ref)}.values())
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


def winners(choose: Callable[[Tensor], Tensor], kind: str, results: int = 1):
    """Handler of an op whose outputs are entries of its one input; ``choose`` gives their places along an axis."""

    def handler(low, node, x, *args, **kwargs):
        full = x.full

        def places(a: Tensor) -> tuple[Tensor, None]:
            wide = a.reshape(len(a), *full)
            axis, index = choose(wide, *args, **kwargs)
            numbers = torch.arange(wide[0].numel(), device=a.device).view(1, *full).expand(wide.shape)
            found = numbers.gather(axis, index)
            return found.reshape(len(a), *made), None

        val = node.meta["val"]
        made = stored(low.full(node, val if isinstance(val, Tensor) else val[0]))
        op = Pick(places, (x.shape,))
        full_out = low.full(node, val if isinstance(val, Tensor) else val[0])
        ref = low.emit(node, kind, op, (x,), full=full_out)
        if results == 1:
            return ref
        second = composed(node.target, (x, *args), kwargs, None, None)
        index = Discrete(second.refs, lambda *a: second.function(*a)[1], low.full(node, val[1]), val[1].dtype)
        return ref, index

    return handler


def extreme(largest: bool):
    """The place of the largest (smallest) entry along some axes, with the batch in front of the exported shape."""

    def choose(a: Tensor, axes=None, keepdim=False) -> tuple[int, Tensor]:
        axis = (axes if isinstance(axes, int) else axes[0]) % (a.ndim - 1) + 1
        return axis, (a.argmax(axis, keepdim=True) if largest else a.argmin(axis, keepdim=True))

    return choose


def ranked(a: Tensor, count: int, axis: int = -1, largest: bool = True, ordered: bool = True) -> tuple[int, Tensor]:
    """Places of the largest entries."""
    axis = axis % (a.ndim - 1) + 1
    return axis, a.topk(count, axis, largest, ordered).indices


def in_order(a: Tensor, axis: int = -1, descending: bool = False) -> tuple[int, Tensor]:
    """Places of all entries, sorted."""
    axis = axis % (a.ndim - 1) + 1
    return axis, a.sort(axis, descending).indices


def reduced(largest: bool):
    """``amax`` or ``amin`` over several axes: these are joined first."""
    one_axis = winners(extreme(largest), "max" if largest else "min")

    def handler(low, node, x, axes=(), keepdim=False):
        count = len(x.full)
        axes = sorted({axis % count for axis in (axes or range(count))})
        if len(axes) == 1:
            return one_axis(low, node, x, axes, keepdim)
        full = x.full

        def places(a: Tensor) -> tuple[Tensor, None]:
            wide, numbers = a.reshape(len(a), *full), torch.arange(a[0].numel(), device=a.device).view(1, *full)
            rest = [d + 1 for d in range(count) if d not in axes]
            order = [0, *rest, *(d + 1 for d in axes)]
            joined = wide.permute(order).flatten(1 + len(rest))
            at = joined.argmax(-1, keepdim=True) if largest else joined.argmin(-1, keepdim=True)
            found = numbers.expand(wide.shape).permute(order).flatten(1 + len(rest)).gather(-1, at)
            return found.reshape(len(a), *made), None

        out = tuple(1 if d in axes else n for d, n in enumerate(full) if keepdim or d not in axes)
        made = stored(out)
        return low.emit(node, "max" if largest else "min", Pick(places, (x.shape,)), (x,), full=out)

    return handler


def of_two(largest: bool):
    """``maximum`` or ``minimum`` of two values."""

    def handler(low, node, x, y):
        full = low.full(node)
        if isinstance(x, Ref) and isinstance(y, Ref):
            pair = tuple(expanded(low, node, v, full) for v in (x, y))

            def places(a: Tensor, b: Tensor) -> tuple[Tensor, None]:
                numbers = torch.arange(a[0].numel(), device=a.device).view(1, *a.shape[1:])
                first = a >= b if largest else a <= b
                return torch.where(first, numbers, numbers + a[0].numel()), None

            return low.emit(
                node,
                "maximum" if largest else "minimum",
                Pick(places, (pair[0].shape,) * 2),
                pair,
                full=full,
                image=Pick(places, ()).image(*(v.domain for v in pair)),
            )
        x, y = (x, y) if isinstance(x, Ref) else (y, x)
        if bool((torch.as_tensor(y) < HIDDEN).all()) and largest and not low.varying:
            return reshaped(low, node, x, full)  # nothing is so low
        ref = expanded(low, node, x, full)
        limit = low.constant(node, y, full)

        def within(a: Tensor) -> tuple[Tensor, Tensor]:
            numbers = torch.arange(a[0].numel(), device=a.device).view(1, *a.shape[1:])
            inside = a >= limit if largest else a <= limit
            return torch.where(inside, numbers, -1), limit.expand(a.shape)

        if low.varying:
            raise low.unsupported(node, "Its limit must not depend on an input.")
        op = Pick(within, (ref.shape,), fixed=interval(*(b.item() for b in limit.aminmax())))
        return low.emit(node, "maximum" if largest else "minimum", op, (ref,), full=full)

    return handler


def clamp_between(low: Lowering, node, x, minimum=None, maximum=None):
    """``clamp`` with limits that are tensors."""
    if minimum is not None:
        x = of_two(True)(low, node, x, minimum)
    return x if maximum is None else of_two(False)(low, node, x, maximum)


HANDLERS = {
    aten.where.self: where,
    aten.where.ScalarOther: where,
    aten.where.ScalarSelf: where,
    aten.masked_fill.Scalar: masked_fill,
    aten.masked_fill.Tensor: masked_fill,
    aten.gather.default: entries_at("gather"),
    aten.index.Tensor: entries_at("gather"),
    aten.index_select.default: entries_at("slice"),
    aten.scatter.src: entries_at("scatter"),
    aten.max.dim: winners(extreme(True), "max", 2),
    aten.min.dim: winners(extreme(False), "min", 2),
    aten.topk.default: winners(ranked, "topk", 2),
    aten.sort.default: winners(in_order, "sort", 2),
    aten.amax.default: reduced(True),
    aten.amin.default: reduced(False),
    aten.max.default: reduced(True),
    aten.min.default: reduced(False),
    aten.maximum.default: of_two(True),
    aten.minimum.default: of_two(False),
    aten.clamp.Tensor: clamp_between,
    aten.clamp_min.Tensor: lambda low, node, x, minimum: clamp_between(low, node, x, minimum),
    aten.clamp_max.Tensor: lambda low, node, x, maximum: clamp_between(low, node, x, None, maximum),
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
