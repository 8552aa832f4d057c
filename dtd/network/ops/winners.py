"""Winners: the largest entries along axes, sorted values, the larger of two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dtd.domain import interval
from dtd.network.aten import aten
from dtd.network.discrete import composed, result_of
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.masks import HIDDEN
from dtd.network.ops.structure import expanded, reshaped
from dtd.network.sizes import Shape, stored
from dtd.primitive import Pick


def counted_entries(a: Tensor, full: Shape) -> Tensor:
    """The number of each entry of a sample in the exported shape. # shape: (B, ...) -> (1, *full)"""
    return torch.arange(a[0].numel(), device=a.device).view(1, *full)


@dataclass(frozen=True, eq=False)
class Winners:
    """Which entries of the input win along an axis. # shape: (B, *in) -> (B, *made)"""

    choose: Callable[..., tuple[int, Tensor]]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    full: Shape  # of one sample of the input, as exported
    made: Shape  # of one sample of the output

    def __call__(self, a: Tensor) -> tuple[Tensor, None]:
        wide = a.reshape(len(a), *self.full)
        axis, index = self.choose(wide, *self.args, **self.kwargs)
        found = counted_entries(a, self.full).expand(wide.shape).gather(axis, index)
        return found.reshape(len(a), *self.made), None


def winners(choose: Callable[..., tuple[int, Tensor]], kind: str, results: int = 1):
    """Handler of an op whose outputs are entries of its one input; ``choose`` gives their places along an axis."""

    def handler(low, node, x, *args, **kwargs):
        val = node.meta["val"]
        full = low.full(node, val if isinstance(val, Tensor) else val[0])
        op = Pick(Winners(choose, args, kwargs, x.full, stored(full)), (x.shape,))
        ref = low.emit(node, kind, op, (x,), full=full)
        if results == 1:
            return ref
        whole = composed(node.target, (x, *args), kwargs, None, None)
        return ref, result_of(whole, 1, low.full(node, val[1]), val[1].dtype)

    return handler


def extreme(a: Tensor, axes=None, keepdim=False, *, largest: bool) -> tuple[int, Tensor]:
    """The place of the largest (smallest) entry along an axis, with the batch in front of the exported shape."""
    axis = (axes if isinstance(axes, int) else axes[0]) % (a.ndim - 1) + 1
    return axis, (a.argmax(axis, keepdim=True) if largest else a.argmin(axis, keepdim=True))


def ranked(a: Tensor, count: int, axis: int = -1, largest: bool = True, ordered: bool = True) -> tuple[int, Tensor]:
    """Places of the largest entries."""
    axis = axis % (a.ndim - 1) + 1
    return axis, a.topk(count, axis, largest, ordered).indices


def in_order(a: Tensor, axis: int = -1, descending: bool = False) -> tuple[int, Tensor]:
    """Places of all entries, sorted."""
    axis = axis % (a.ndim - 1) + 1
    return axis, a.sort(axis, descending).indices


@dataclass(frozen=True, eq=False)
class Extreme:
    """Which entry is the largest (smallest) over several axes. # shape: (B, *in) -> (B, *made)"""

    largest: bool
    axes: tuple[int, ...]
    full: Shape  # of one sample of the input, as exported
    made: Shape  # of one sample of the output

    def __call__(self, a: Tensor) -> tuple[Tensor, None]:
        wide = a.reshape(len(a), *self.full)
        rest = [d + 1 for d in range(len(self.full)) if d not in self.axes]
        order = [0, *rest, *(d + 1 for d in self.axes)]
        joined = wide.permute(order).flatten(1 + len(rest))
        at = joined.argmax(-1, keepdim=True) if self.largest else joined.argmin(-1, keepdim=True)
        numbers = counted_entries(a, self.full).expand(wide.shape)
        return numbers.permute(order).flatten(1 + len(rest)).gather(-1, at).reshape(len(a), *self.made), None


def reduced(largest: bool):
    """``amax`` or ``amin`` over several axes: these are joined first."""
    one_axis = winners(partial(extreme, largest=largest), "max" if largest else "min")

    def handler(low, node, x, axes=(), keepdim=False):
        count = len(x.full)
        axes = sorted({axis % count for axis in (axes or range(count))})
        if len(axes) == 1:
            return one_axis(low, node, x, axes, keepdim)
        out = tuple(1 if d in axes else n for d, n in enumerate(x.full) if keepdim or d not in axes)
        op = Pick(Extreme(largest, tuple(axes), x.full, stored(out)), (x.shape,))
        return low.emit(node, "max" if largest else "min", op, (x,), full=out)

    return handler


def of_pair(a: Tensor, b: Tensor, *, largest: bool) -> tuple[Tensor, None]:
    """Which of two entries is the larger (smaller). # shape: (B, *in) each -> (B, *in)"""
    numbers = counted_entries(a, a.shape[1:])
    first = a >= b if largest else a <= b
    return torch.where(first, numbers, numbers + a[0].numel()), None


@dataclass(frozen=True, eq=False)
class Within:
    """Which entries are above (below) a limit; the others are constants. # shape: (B, *in) -> (B, *in) each"""

    largest: bool
    limit: Tensor

    def __call__(self, a: Tensor) -> tuple[Tensor, Tensor]:
        inside = a >= self.limit if self.largest else a <= self.limit
        return torch.where(inside, counted_entries(a, a.shape[1:]), -1), self.limit.expand(a.shape)


def of_two(largest: bool):
    """``maximum`` or ``minimum`` of two values."""

    kind = "maximum" if largest else "minimum"

    def handler(low, node, x, y):
        full = low.full(node)
        if isinstance(x, Ref) and isinstance(y, Ref):
            pair = tuple(expanded(low, node, v, full) for v in (x, y))
            larger = Pick(partial(of_pair, largest=largest), (pair[0].shape,) * 2)
            return low.emit(node, kind, larger, pair, full=full, image=larger.image(*(v.domain for v in pair)))
        x, y = (x, y) if isinstance(x, Ref) else (y, x)
        if bool((torch.as_tensor(y) < HIDDEN).all()) and largest and not low.varying:
            return reshaped(low, node, x, full)  # nothing is so low
        ref = expanded(low, node, x, full)
        limit = low.constant(node, y, full)
        if low.varying:
            raise low.unsupported(node, "Its limit must not depend on an input.")
        op = Pick(Within(largest, limit), (ref.shape,), fixed=interval(*(b.item() for b in limit.aminmax())))
        return low.emit(node, kind, op, (ref,), full=full)

    return handler


def clamp_between(low: Lowering, node, x, minimum=None, maximum=None):
    """``clamp`` with limits that are tensors."""
    if minimum is not None:
        x = of_two(True)(low, node, x, minimum)
    return x if maximum is None else of_two(False)(low, node, x, maximum)


WINNERS = {
    aten.max.dim: winners(partial(extreme, largest=True), "max", 2),
    aten.min.dim: winners(partial(extreme, largest=False), "min", 2),
    aten.topk.default: winners(ranked, "topk", 2),
    aten.sort.default: winners(in_order, "sort", 2),
    aten.amax.default: reduced(True),
    aten.amin.default: reduced(False),
    aten.max.default: reduced(True),
    aten.min.default: reduced(False),
    aten.maximum.default: of_two(True),
    aten.minimum.default: of_two(False),
    aten.clamp.Tensor: clamp_between,
    aten.clamp_min.Tensor: of_two(True),
    aten.clamp_max.Tensor: of_two(False),
}
