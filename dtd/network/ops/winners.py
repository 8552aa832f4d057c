"""Winners: the largest entries along axes, sorted values, the larger of two."""

from collections.abc import Callable

import torch
from torch import Tensor

from dtd.domain import interval
from dtd.network.aten import aten
from dtd.network.discrete import Discrete, composed
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.masks import HIDDEN
from dtd.network.ops.structure import expanded, reshaped
from dtd.network.sizes import stored
from dtd.primitive import Pick


def winners(choose: Callable[..., tuple[int, Tensor]], kind: str, results: int = 1):
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


WINNERS = {
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
}
