"""Softmax, attention and layer norm."""

from dataclasses import replace
from math import sqrt

import torch

from dtd.network.aten import aten
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.arithmetic import add, scale_and_shift
from dtd.network.ops.bilinear import constant_times, matrix_product
from dtd.network.ops.masks import HIDDEN, aligned
from dtd.network.ops.structure import expanded, reshaped, transpose
from dtd.primitive import LayerNorm, Pointwise, Softmax


def softmax(low: Lowering, node, x: Ref, axis, *args, **kwargs):
    """Softmax along an axis."""
    place = x.axis(axis)
    if place < 0:  # along an axis of size 1
        low.suspect(node)
        wide = softmax_along(low, node, reshaped(low, node, x, (1, *x.full)), axis % len(x.full) + 1)
        return reshaped(low, node, wide, x.full)
    return softmax_along(low, node, x, axis)


def softmax_along(low: Lowering, node, x: Ref, axis: int, blank: bool = False) -> Ref:
    """Softmax of what is shown; ``blank``: a place that sees nothing gets nothing."""
    count = len(x.full)
    op = Softmax(axis % count - count, None if x.shown is None else x.shown.expand(x.shape), blank)
    return low.emit(node, "softmax", op, (replace(x, shown=None),), full=x.full)


def log_softmax(low: Lowering, node, x: Ref, axis, *args, **kwargs):
    """The logarithm of softmax, as its parts."""
    probabilities = softmax(low, node, x, axis)
    return low.emit(node, "log", Pointwise(torch.log), (probabilities,), full=x.full)


def attention(low: Lowering, node, query, key, value, mask=None, dropout=0.0, causal=False, *, scale=None, enable_gqa=False):
    """``softmax(q kᵀ · scale + mask) v`` as its parts."""
    if dropout or isinstance(mask, Ref) or not all(isinstance(x, Ref) for x in (query, key, value)):
        raise low.unsupported(node, "It needs activations for q, k and v, no dropout, and a mask that is a constant.")
    if enable_gqa:
        key, value = (repeated(low, node, x, query.full[-3] // x.full[-3]) for x in (key, value))
    width, positions, seen = query.full[-1], query.full[-2], key.full[-2]
    turned = transpose(low, node, key, -1, -2, (*key.full[:-2], key.full[-1], seen))
    lead = torch.broadcast_shapes(query.full[:-2], key.full[:-2])
    scores = (*lead, positions, seen)
    logits = matrix_product(low, node, query, turned, scores)
    factor = 1 / sqrt(width) if scale is None else scale
    shift, shown = None, None
    if mask is not None and mask.dtype == torch.bool:
        shown = aligned(low, mask, scores)
    elif mask is not None:
        shift = mask
        if low.varying or bool((mask < HIDDEN).any()):
            shown = aligned(low, mask >= HIDDEN, scores)
            shift = torch.where(mask >= HIDDEN, mask, 0.0)
    logits = scale_and_shift(low, node, logits, factor, shift, "scale", scores)
    if causal:
        below = torch.ones(positions, seen, dtype=torch.bool, device=low.like.device).tril()
        shown = below if shown is None else shown & below
    logits = logits if shown is None else replace(logits, shown=shown)
    weights = softmax_along(low, node, logits, -1, blank=mask is None or mask.dtype == torch.bool)
    return matrix_product(low, node, weights, value)


def repeated(low: Lowering, node, x: Ref, times: int) -> Ref:
    """Each head of keys or values for as many heads of queries. # shape: (…, H, T, D) -> (…, H·times, T, D)"""
    *lead, heads, positions, width = x.full
    split = reshaped(low, node, x, (*lead, heads, 1, positions, width))
    wide = expanded(low, node, split, (*lead, heads, times, positions, width))
    return reshaped(low, node, wide, (*lead, heads * times, positions, width))


def scaled_product(low: Lowering, node, bias, x, y, *, beta=1, alpha=1):
    """``beta bias + alpha x @ y``."""
    if isinstance(bias, Ref):
        raise low.unsupported(node, "What is added must be a constant.")
    if isinstance(x, Ref) and isinstance(y, Ref):
        made = matrix_product(low, node, x, y)
        made = made if alpha == 1 else scale_and_shift(low, node, made, alpha, None, "scale")
        return add(low, node, made, beta * bias) if beta else made
    x, y = (alpha * x, y) if isinstance(y, Ref) else (x, alpha * y)
    return constant_times(low, node, x, y, beta * bias if beta else None)


def layer_norm(low: Lowering, node, x: Ref, sizes, weight=None, bias=None, epsilon=1e-5, *rest):
    """Layer norm over the last axes."""
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, "Its gain and bias must be constants.")
    if len(sizes) > len(x.shape):
        wide = layer_norm(low, node, reshaped(low, node, x, (1, *x.full)), sizes, weight, bias, epsilon)
        return reshaped(low, node, wide, x.full)
    return low.emit(node, "layer_norm", LayerNorm(tuple(sizes), weight, bias, epsilon), (x,), full=x.full)


def rms_norm(low: Lowering, node, x: Ref, sizes, weight=None, epsilon=None):
    """RMS norm over the last axes."""
    if isinstance(weight, Ref):
        raise low.unsupported(node, "Its gain must be a constant.")
    op = LayerNorm(tuple(sizes), weight, None, epsilon, centred=False)
    return low.emit(node, "rms_norm", op, (x,), full=x.full)


NORMALISATIONS = {
    aten.softmax.int: softmax,
    aten._softmax.default: softmax,
    aten.log_softmax.int: log_softmax,
    aten._log_softmax.default: log_softmax,
    aten.scaled_dot_product_attention.default: attention,
    aten.baddbmm.default: scaled_product,
    aten.layer_norm.default: layer_norm,
    aten.rms_norm.default: rms_norm,
}
