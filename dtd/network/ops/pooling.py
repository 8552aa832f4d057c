"""Pooling, and means and sums over axes."""

from math import prod

import torch

from dtd.affine import WindowSum
from dtd.affine.windows import adaptive_window, dilated_window, outer, sliding_window
from dtd.domain import hull
from dtd.network.aten import aten
from dtd.network.lowering import Lowering
from dtd.network.ops.affine import per_axis
from dtd.network.ops.structure import reshaped
from dtd.network.sizes import Shape, is_stripped, stored
from dtd.primitive import MaxPool


def window_sum(low: Lowering, node, x, windows, weight, kind, full: Shape):
    """A layer that sums over windows, one matrix for each axis."""
    windows = {axis: member.to(low.like) for axis, member in windows.items()}
    op = WindowSum(weight=weight.to(low.like), bias=None, in_shape=x.shape, out_shape=stored(full), windows=windows)
    return low.emit(node, kind, op, (x,), full=full)


def average_pool(n: int):
    """Average pooling over the last ``n`` axes; a divisor of 1 makes it sum pooling."""

    def handler(low, node, x, kernel, stride=None, padding=0, ceil_mode=False, count_padding=True, divisor=None):
        kernel = per_axis(kernel, n)
        stride, padding = per_axis(stride, n) if stride else kernel, per_axis(padding, n)
        shape, axes = low.shape(node), list(range(len(x.shape) - n, len(x.shape)))
        sliding = [
            sliding_window(x.shape[axis], k, s, p, shape[axis])
            for axis, k, s, p in zip(axes, kernel, stride, padding, strict=True)
        ]
        area = outer([extent if count_padding else m.sum(1) for m, extent in sliding], axes, len(shape))
        weight = 1 / (area if divisor is None else torch.full_like(area, float(divisor)))
        windows = dict(zip(axes, [member for member, _ in sliding], strict=True))
        return window_sum(low, node, x, windows, weight, "average_pool", low.full(node))

    return handler


def adaptive_pool(n: int):
    """Adaptive average pooling over the last ``n`` axes."""

    def handler(low, node, x, size):
        shape, axes = low.shape(node), list(range(len(x.shape) - n, len(x.shape)))
        windows = {axis: adaptive_window(x.shape[axis], shape[axis]) for axis in axes}
        area = outer([windows[axis].sum(1) for axis in axes], axes, len(shape))
        return window_sum(low, node, x, windows, 1 / area, "average_pool", low.full(node))

    return handler


def reduction(kind: str):
    """Mean or sum over axes other than the batch."""

    def handler(low, node, x, axes=None, keepdim=False, **options):
        full, count = low.full(node), len(x.full)
        axes = [axes] if isinstance(axes, int) else list(axes or range(count))
        long = sorted(x.axis(axis) for axis in axes if x.axis(axis) >= 0)
        if len(long) < len(axes):
            low.suspect(node)
        if not long:
            return reshaped(low, node, x, full)
        windows = {axis: torch.ones(1, x.shape[axis]) for axis in long}
        lengths = [x.shape[axis] for axis in long]
        weight = torch.tensor(1.0 / prod(lengths) if kind == "mean" else 1.0, dtype=torch.double)
        kept = tuple(1 if axis in {a % count for a in axes} else size for axis, size in enumerate(x.full))
        if is_stripped(kept) and not is_stripped(x.full):
            kept = (1, *kept)  # so that a sample keeps its first axis
        return reshaped(low, node, window_sum(low, node, x, windows, weight, kind, kept), full)

    return handler


def max_pool(n: int):
    """Max pooling over the last ``n`` axes."""

    def handler(low, node, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
        shape, axes = low.shape(node), range(len(x.shape) - n, len(x.shape))
        settings = tuple(per_axis(setting, n) for setting in (kernel, stride or kernel, padding, dilation))
        kernels, strides, paddings, dilations = settings
        windows = {
            axis: dilated_window(x.shape[axis], k, s, p, d, shape[axis]).to(low.like)
            for axis, k, s, p, d in zip(axes, *settings, strict=True)
        }
        area = outer([windows[axis].sum(1) for axis in axes], list(axes), len(shape)).to(low.like)
        average = WindowSum(weight=1 / area, bias=None, in_shape=x.shape, out_shape=shape, windows=windows)
        op = MaxPool(average, kernels, strides, paddings, dilations, ceil_mode)
        return low.emit(node, "max_pool", op, (x,), image=hull(x.domain))

    return handler


POOLING = {
    aten.mean.dim: reduction("mean"),
    aten.sum.dim_IntList: reduction("sum_over_axes"),
    **{getattr(aten, f"avg_pool{n}d").default: average_pool(n) for n in (1, 2, 3)},
    **{getattr(aten, f"adaptive_avg_pool{n}d").default: adaptive_pool(n) for n in (1, 2, 3)},
    **{getattr(aten, f"max_pool{n}d").default: max_pool(n) for n in (1, 2, 3)},
}
