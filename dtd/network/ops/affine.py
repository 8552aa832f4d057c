"""Layers with weights: linear, convolutions, batch norm."""

import torch
from torch import Tensor

from dtd.affine import Convolution, Dense, Diagonal, TransposedConvolution
from dtd.network.aten import aten
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import constant_times, matrix_product
from dtd.network.ops.structure import moved, reshaped
from dtd.network.sizes import stored


def dense_layer(low: Lowering, node, x, weight, bias=None, full=None):
    """``x Wᵀ + b`` on the last axis."""
    if not isinstance(x, Ref) or isinstance(weight, Ref) or isinstance(bias, Ref) or low.varying:
        raise low.unsupported(node, low.advice("matmul"))
    full = low.full(node) if full is None else full
    if len(full) == 1:  # its only axis is that of the units
        wide = dense_layer(low, node, reshaped(low, node, x, (1, *x.full)), weight, bias, (1, *full))
        return reshaped(low, node, wide, full)
    op = Dense(weight=weight, bias=bias, in_shape=x.shape, out_shape=stored(full))
    return low.emit(node, "dense", op, (x,), weight=weight, full=full)


def matmul(low: Lowering, node, x, y):
    if isinstance(x, Ref) and isinstance(y, Ref):
        return matrix_product(low, node, x, y)
    if isinstance(x, Ref) and 2 <= y.ndim <= len(x.full) and y.shape[:-2].numel() == 1 and not low.varying:
        return dense_layer(low, node, x, y.reshape(y.shape[-2:]).mT)
    if isinstance(x, Ref) and y.ndim == 1 and not low.varying:
        full = low.full(node)
        return reshaped(low, node, dense_layer(low, node, x, y[None], full=(*full, 1)), full)
    return constant_times(low, node, x, y)


def addmm(low: Lowering, node, bias, x, y, *, beta=1, alpha=1):
    if not isinstance(x, Ref) or isinstance(y, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, low.advice("matmul"))
    return dense_layer(low, node, x, alpha * y.mT, beta * bias)


def per_axis(value, n: int) -> tuple[int, ...]:
    """A per-axis setting, given once or for every axis."""
    value = [value] if isinstance(value, int) else list(value)
    return tuple(value * n if len(value) == 1 else value)


def convolution(low: Lowering, node, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(weight, Ref) or isinstance(bias, Ref) or low.varying:
        raise low.unsupported(node, low.advice("matmul"))
    n = weight.ndim - 2
    stride, dilation = per_axis(stride, n), per_axis(dilation, n)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        padding = tuple((t // 2, t - t // 2) for t in total)
    else:
        padding = tuple((p, p) for p in per_axis(0 if padding == "valid" else padding, n))
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if len(x.shape) == n + 2 and n < 3:
        return of_several_images(low, node, x, weight, bias, settings)
    if len(x.shape) != n + 1:
        raise low.unsupported(node, f"Its input needs a batch and a channel axis; found shape {x.shape} for one sample.")
    weight_laid = weight.contiguous(memory_format=torch.channels_last) if n == 2 else weight
    op = Convolution(weight=weight_laid, bias=bias, in_shape=x.shape, out_shape=low.shape(node), **settings)
    return low.emit(node, "convolution", op, (x,), weight=weight)


def as_volume(a: Tensor) -> Tensor:
    """Several images of a sample as one volume. # shape: (B, N, C, *size) -> (B, 1, C, N, *size)"""
    return a.transpose(1, 2).unsqueeze(1)


def as_images(a: Tensor) -> Tensor:
    """A volume as the images that it is made of. # shape: (B, 1, C, N, *size) -> (B, N, C, *size)"""
    return a.squeeze(1).transpose(1, 2)


def of_several_images(low: Lowering, node, x: Ref, weight, bias, settings: dict) -> Ref:
    """A convolution of several images of one sample (frames, windows): of one axis more, along which the kernel is 1 long.

    # shape of one sample: (N, C, *size) -> (N, K, *size)
    """
    full = low.full(node)
    images, channels, *size = x.full
    turned = (1, channels, images, *size)
    x = moved(low, node, "permute", as_volume, x, turned)
    free = {"stride": 1, "padding": (0, 0), "dilation": 1}
    settings = {name: (free[name], *value) if name in free else value for name, value in settings.items()}
    out = (full[1], images, *full[2:])
    op = Convolution(weight=weight.unsqueeze(2), bias=bias, in_shape=turned[1:], out_shape=out, **settings)
    y = low.emit(node, "convolution", op, (x,), weight=weight, full=(1, *out))
    return moved(low, node, "permute", as_images, y, full)


def transposed(low: Lowering, node, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    if isinstance(weight, Ref) or isinstance(bias, Ref) or low.varying:
        raise low.unsupported(node, low.advice("matmul"))
    n = weight.ndim - 2
    if len(x.shape) != n + 1:
        raise low.unsupported(node, f"Its input needs a batch and a channel axis; found shape {x.shape} for one sample.")
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


def general_convolution(
    low: Lowering, node, x, weight, bias, stride, padding, dilation, is_transposed, output_padding, groups
):
    """Either kind, as torch's own decompositions write it."""
    if is_transposed:
        return transposed(low, node, x, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolution(low, node, x, weight, bias, stride, padding, dilation, groups)


def batch_norm(low: Lowering, node, x, weight, bias, mean, variance, momentum, eps):
    """``(a − μ) / √(σ² + ε) · γ + β`` as an affine map, one input a unit."""
    if low.varying or any(isinstance(v, Ref) for v in (weight, bias, mean, variance)):
        raise low.unsupported(node, "Its statistics and parameters must be constants.")
    scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    column = [-1, *[1] * (len(x.shape) - 1 - x.axis(1))]
    op = Diagonal(weight=scale.view(column), bias=shift.view(column), in_shape=x.shape, out_shape=x.shape)
    ref = low.emit(node, "batch_norm", op, (x,), full=x.full, weight=weight)
    return ref, None, None


def inference_batch_norm(low: Lowering, node, x, weight, bias, mean, variance, training, momentum, eps, *rest):
    """The form that is not decomposed."""
    if training:
        raise low.unsupported(node, low.advice("batch_norm"))
    return batch_norm(low, node, x, weight, bias, mean, variance, momentum, eps)[0]


AFFINE = {
    aten.linear.default: dense_layer,
    aten.matmul.default: matmul,
    aten.mm.default: matmul,
    aten.bmm.default: matmul,
    aten.mv.default: matmul,
    aten.addmm.default: addmm,
    aten.conv1d.default: convolution,
    aten.conv2d.default: convolution,
    aten.conv3d.default: convolution,
    aten.conv1d.padding: convolution,
    aten.conv2d.padding: convolution,
    aten.conv3d.padding: convolution,
    aten.convolution.default: general_convolution,
    aten.conv_transpose1d.default: transposed,
    aten.conv_transpose2d.input: transposed,
    aten.conv_transpose3d.input: transposed,
    aten._native_batch_norm_legit_no_training.default: batch_norm,
    aten.batch_norm.default: inference_batch_norm,
}
