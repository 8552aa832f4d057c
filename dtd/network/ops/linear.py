"""Linear maps without learned weights: interpolation, running sums, scattered sums, einsum, norms over groups."""

import operator
from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

from dtd.affine import AlongAxis, ScatterSum
from dtd.network.aten import aten
from dtd.network.fixed import Fixed
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.arithmetic import add, scale_and_shift
from dtd.network.ops.pooling import reduction
from dtd.network.ops.structure import moved, reshaped
from dtd.network.ops.winners import reduced
from dtd.network.sizes import Shape, stored
from dtd.primitive import LayerNorm


def along_axis(low: Lowering, node, x: Ref, matrix: Tensor, axis: int, kind: str, full: Shape) -> Ref:
    """A matrix ``(K, J)`` along an axis of the exported shape."""
    if x.axis(axis) < 0:
        wide = reshaped(low, node, x, (1, *x.full))
        made = along_axis(low, node, wide, matrix, axis % len(x.full) + 1, kind, (1, *full))
        return reshaped(low, node, made, full)
    op = AlongAxis(
        weight=matrix.to(low.like),
        bias=None,
        in_shape=x.shape,
        out_shape=stored(full),
        axis=axis % len(x.full) - len(x.full),
    )
    return low.emit(node, kind, op, (x,), full=full)


def cumsum(low: Lowering, node, x, axis, **kwargs):
    """Running sums."""
    ones = torch.ones(x.full[axis], x.full[axis], dtype=torch.double).tril()
    return along_axis(low, node, x, ones, axis, "cumsum", x.full)


def matrix_of(function: Callable[[Tensor], Tensor], size: int) -> Tensor:
    """The matrix of a linear function along one axis. # shape: function: (J, J) -> (J, K); result (K, J)"""
    return function(torch.eye(size, dtype=torch.double)).mT


def interpolate(axes: int, mode: str):
    """Upsampling: a matrix along one axis after the other."""

    def handler(low, node, x, size=None, corners=False, *rest, **kwargs):
        full, made = low.full(node), x
        factors = next((v for v in rest if isinstance(v, (list, tuple))), None)
        for k in range(axes):
            axis = len(full) - axes + k
            ratio = None if factors is None or size is not None else factors[k]
            matrix = matrix_of(Fixed(one_axis, (full[axis], mode, corners, ratio)), x.full[axis])
            shape = (*x.full[: len(full) - axes], *full[len(full) - axes : axis + 1], *x.full[axis + 1 :])
            made = along_axis(low, node, made, matrix, axis, "interpolate", shape)
        return made

    return handler


def one_axis(eye: Tensor, size: int, mode: str, corners: bool, ratio: float | None) -> Tensor:
    """Interpolation of each row to ``size`` places. # shape: (J, J) -> (J, size)"""
    if mode == "linear":
        return aten.upsample_linear1d.default(eye[:, None], [size], corners, ratio)[:, 0]
    wide = eye[:, None, None].expand(-1, 1, 2, -1).contiguous()
    return aten.upsample_bicubic2d.default(wide, [2, size], corners, None, ratio)[:, 0, 0]


def adaptive_max_pool(axes: int):
    """The largest entry of each adaptive window: of all entries where the output has one place."""

    def handler(low, node, x, size):
        full = low.full(node, node.meta["val"][0] if isinstance(node.meta["val"], tuple) else node.meta["val"])
        if any(n != 1 for n in full[-axes:]):
            raise low.unsupported(node, "Adaptive max pooling is supported to one place.")
        made = reduced(True)(low, node, x, list(range(-axes, 0)), True)
        return made if axes == 1 and isinstance(node.meta["val"], Tensor) else (made, None)

    return handler


def scattered(low: Lowering, node, base, axis, index, source, *, reduce="sum", alpha=1):
    """``base + Σ`` of the entries of ``source`` at the places that ``index`` says, along one axis."""
    if reduce not in ("sum", "add") or not isinstance(source, Ref) or not isinstance(index, Tensor):
        raise low.unsupported(node, "It must add up activations at places that are constants.")
    full = low.full(node)
    places = torch.arange(prod(full), dtype=torch.float64).reshape(full)
    if node.target is aten.index_add.default:
        at = places.index_select(axis, index).long()
    else:
        used = tuple(slice(0, n) for n in index.shape)
        source = source if tuple(index.shape) == source.full else cut(low, node, source, used, tuple(index.shape))
        at = places.gather(axis, index).long()
    weight = torch.full((), float(alpha), dtype=low.like.dtype, device=low.like.device)
    op = ScatterSum(weight=weight, bias=None, in_shape=source.shape, out_shape=stored(full), index=at.reshape(source.shape))
    made = low.emit(node, "scatter_sum", op, (source,), full=full)
    if isinstance(base, Ref):
        return add(low, node, base, made)
    return made if not low.varying and not bool(base.any()) else add(low, node, made, base)


def cut(low: Lowering, node, x: Ref, used: tuple[slice, ...], full: Shape) -> Ref:
    """The first entries along each axis."""
    return moved(low, node, "slice", Fixed(operator.getitem, ((slice(None), *used),)), x, full)


def overlapping_sum(low: Lowering, node, x, size, kernel, dilation, padding, stride):
    """``fold``: patches added up where they overlap."""
    full = low.full(node)
    numbers = torch.arange(1, prod(full) + 1, dtype=torch.float64).reshape(full)
    index = aten.im2col.default(numbers, kernel, dilation, padding, stride).reshape(x.shape).long() - 1
    if bool((index < 0).any()):
        raise low.unsupported(node, "Padding that cuts patches off is not supported.")
    weight = torch.ones((), dtype=low.like.dtype, device=low.like.device)
    op = ScatterSum(weight=weight, bias=None, in_shape=x.shape, out_shape=stored(full), index=index)
    return low.emit(node, "scatter_sum", op, (x,), full=full)


def group_norm(low: Lowering, node, x, groups, weight=None, bias=None, epsilon=1e-5, *rest):
    """A layer norm over each group of channels, then gain and bias for each channel."""
    full = low.full(node)
    split = reshaped(low, node, x, (full[0], groups, prod(full[1:]) // groups))
    return normalised(low, node, split, full, weight, bias, epsilon)


def instance_norm(low: Lowering, node, x, weight, bias, mean, variance, use_input, momentum, epsilon, *rest):
    """A layer norm over the places of each channel, then gain and bias for each channel."""
    full = low.full(node)
    if not use_input:
        raise low.unsupported(node, "Instance norm with running statistics is no norm of the input.")
    split = reshaped(low, node, x, (full[0], full[1], prod(full[2:])))
    return normalised(low, node, split, full, weight, bias, epsilon)


def normalised(low: Lowering, node, split: Ref, full: Shape, weight, bias, epsilon: float) -> Ref:
    """A layer norm over the last axis, brought into shape, with gain and bias for each channel."""
    norm = low.emit(node, "layer_norm", LayerNorm(split.full[-1:], None, None, epsilon), (split,), full=split.full)
    made = reshaped(low, node, norm, full)
    if weight is None and bias is None:
        return made
    column = (-1, *[1] * (len(full) - 2))
    gain = torch.ones(()) if weight is None else weight.reshape(column)
    return scale_and_shift(low, node, made, gain, None if bias is None else bias.reshape(column), "scale", full)


LINEAR = {
    aten.cumsum.default: cumsum,
    aten.upsample_linear1d.vec: interpolate(1, "linear"),
    aten.upsample_bilinear2d.vec: interpolate(2, "linear"),
    aten.upsample_trilinear3d.vec: interpolate(3, "linear"),
    aten.upsample_bicubic2d.vec: interpolate(2, "cubic"),
    aten.adaptive_max_pool1d.default: adaptive_max_pool(1),
    aten.adaptive_max_pool2d.default: adaptive_max_pool(2),
    aten.adaptive_max_pool3d.default: adaptive_max_pool(3),
    aten.scatter_add.default: scattered,
    aten.scatter_reduce.two: scattered,
    aten.index_add.default: scattered,
    aten.col2im.default: overlapping_sum,
    aten.group_norm.default: group_norm,
    aten.instance_norm.default: instance_norm,
    aten.mean.default: reduction("mean"),
    aten.sum.default: reduction("sum_over_axes"),
}
