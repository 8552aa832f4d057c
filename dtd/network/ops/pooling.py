"""Pooling, and means and sums over axes."""

from math import prod

import torch

from dtd.affine import WindowSum
from dtd.affine.windows import adaptive_window, dilated_window, outer, sliding_window
from dtd.network.lowering import Lowering
from dtd.network.ops.affine import per_axis
from dtd.primitive import MaxPool, Reshape

aten = torch.ops.aten


def window_sum(low: Lowering, node, x, windows, weight, kind, shape):
    """A layer that sums over windows, one matrix for each axis."""
    windows = {axis: member.to(low.like) for axis, member in windows.items()}
    op = WindowSum(weight=weight.to(low.like), bias=None, in_shape=x.shape, out_shape=shape, windows=windows)
    return low.emit(node, kind, op, (x,), shape=shape)


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
        return window_sum(low, node, x, windows, weight, "average_pool", shape)

    return handler


def adaptive_pool(n: int):
    """Adaptive average pooling over the last ``n`` axes."""

    def handler(low, node, x, size):
        shape, axes = low.shape(node), list(range(len(x.shape) - n, len(x.shape)))
        windows = {axis: adaptive_window(x.shape[axis], shape[axis]) for axis in axes}
        area = outer([windows[axis].sum(1) for axis in axes], axes, len(shape))
        return window_sum(low, node, x, windows, 1 / area, "average_pool", shape)

    return handler


def reduction(kind: str):
    """Mean or sum over axes other than the batch."""

    def handler(low, node, x, axes=None, keepdim=False, *, dtype=None):
        if dtype not in (None, low.like.dtype):
            raise low.unsupported(node, f"It changes the dtype to {dtype}; keep one dtype throughout.")
        count = len(x.shape) + 1
        axes = [axes] if isinstance(axes, int) else list(range(count)) if axes is None else axes
        axes = sorted(axis % count - 1 for axis in axes) or list(range(-1, count - 1))
        if axes[0] < 0:
            raise low.unsupported(node, "It mixes samples: reduce over other axes than the first.")
        windows = {axis: torch.ones(1, x.shape[axis]) for axis in axes}
        kept = tuple(1 if axis in windows else size for axis, size in enumerate(x.shape))
        weight = torch.tensor(1.0 / prod(x.shape[a] for a in axes) if kind == "mean" else 1.0, dtype=torch.double)
        pooled = window_sum(low, node, x, windows, weight, kind, kept)
        shape = low.shape(node)
        return pooled if shape == kept else low.emit(node, "reshape", Reshape(kept, shape), (pooled,))

    return handler


def max_pool(n: int):
    """Max pooling over the last ``n`` axes."""

    def handler(low, node, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
        shape, axes = low.shape(node), range(len(x.shape) - n, len(x.shape))
        settings = [per_axis(setting, n) for setting in (kernel, stride or kernel, padding, dilation)]
        windows = {
            axis: dilated_window(x.shape[axis], k, s, p, d, shape[axis]).to(low.like)
            for axis, k, s, p, d in zip(axes, *settings, strict=True)
        }
        area = outer([windows[axis].sum(1) for axis in axes], list(axes), len(shape)).to(low.like)
        average = WindowSum(weight=1 / area, bias=None, in_shape=x.shape, out_shape=shape, windows=windows)
        return low.emit(node, "max_pool", MaxPool(average, *settings, ceil_mode), (x,))

    return handler


HANDLERS = {
    aten.mean.dim: reduction("mean"),
    aten.sum.dim_IntList: reduction("sum_over_axes"),
    **{getattr(aten, f"avg_pool{n}d").default: average_pool(n) for n in (1, 2, 3)},
    **{getattr(aten, f"adaptive_avg_pool{n}d").default: adaptive_pool(n) for n in (1, 2, 3)},
    **{getattr(aten, f"max_pool{n}d").default: max_pool(n) for n in (1, 2, 3)},
}
