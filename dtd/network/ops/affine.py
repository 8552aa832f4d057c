"""Layers with weights: linear, convolutions, batch norm."""

import torch

from dtd.affine import Convolution, Dense, Diagonal, TransposedConvolution
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import matrix_product

aten = torch.ops.aten


def dense(low: Lowering, node, x, weight, bias=None):
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, low.advice("matmul"))
    op = Dense(weight=weight, bias=bias, in_shape=x.shape, out_shape=low.shape(node))
    return low.emit(node, "dense", op, (x,), weight=weight)


def matmul(low: Lowering, node, x, y):
    if isinstance(x, Ref) and isinstance(y, Ref):
        return matrix_product(low, node, x, y)
    if not isinstance(x, Ref) or isinstance(y, Ref) or y.ndim != 2:
        raise low.unsupported(node, "Only activations @ constant matrix is affine unit by unit. " + low.advice("matmul"))
    return dense(low, node, x, y.mT)


def addmm(low: Lowering, node, bias, x, y, *, beta=1, alpha=1):
    if not isinstance(x, Ref) or isinstance(y, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, low.advice("matmul"))
    return dense(low, node, x, alpha * y.mT, beta * bias)


def per_axis(value, n: int) -> tuple[int, ...]:
    """A per-axis setting, given once or for every axis."""
    value = [value] if isinstance(value, int) else list(value)
    return tuple(value * n if len(value) == 1 else value)


def convolution(low: Lowering, node, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, low.advice("matmul"))
    n = weight.ndim - 2
    if len(x.shape) != n + 1:
        raise low.unsupported(node, f"Its input needs a batch and a channel axis; found shape {x.shape} for one sample.")
    stride, dilation = per_axis(stride, n), per_axis(dilation, n)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        padding = tuple((t // 2, t - t // 2) for t in total)
    else:
        padding = tuple((p, p) for p in per_axis(0 if padding == "valid" else padding, n))
    op = Convolution(
        weight=weight.contiguous(memory_format=torch.channels_last) if n == 2 else weight,
        bias=bias,
        in_shape=x.shape,
        out_shape=low.shape(node),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    return low.emit(node, "convolution", op, (x,), weight=weight)


def transposed(low: Lowering, node, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, low.advice("matmul"))
    n = weight.ndim - 2
    op = TransposedConvolution(
        weight=weight,
        bias=bias,
        in_shape=x.shape,
        out_shape=low.shape(node),
        stride=per_axis(stride, n),
        padding=tuple((p, p) for p in per_axis(padding, n)),
        dilation=per_axis(dilation, n),
        groups=groups,
        output_padding=per_axis(output_padding, n),
    )
    return low.emit(node, "transposed_convolution", op, (x,), weight=weight)


def batch_norm(low: Lowering, node, x, weight, bias, mean, variance, momentum, eps):
    """``(a − μ) / √(σ² + ε) · γ + β`` as an affine map, one input a unit."""
    scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    column = [-1, *[1] * (len(x.shape) - 1)]
    op = Diagonal(weight=scale.view(column), bias=shift.view(column), in_shape=x.shape, out_shape=x.shape)
    ref = low.emit(node, "batch_norm", op, (x,), shape=x.shape, weight=weight)
    return ref, None, None


HANDLERS = {
    aten.linear.default: dense,
    aten.matmul.default: matmul,
    aten.mm.default: matmul,
    aten.bmm.default: matmul,
    aten.addmm.default: addmm,
    aten.conv1d.default: convolution,
    aten.conv2d.default: convolution,
    aten.conv3d.default: convolution,
    aten.conv1d.padding: convolution,
    aten.conv2d.padding: convolution,
    aten.conv3d.padding: convolution,
    aten.conv_transpose1d.default: transposed,
    aten.conv_transpose2d.input: transposed,
    aten.conv_transpose3d.input: transposed,
    aten._native_batch_norm_legit_no_training.default: batch_norm,
}
