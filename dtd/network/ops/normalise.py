"""Softmax, attention and layer norm."""

from math import sqrt

import torch

from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.arithmetic import constant, scale_and_shift
from dtd.network.ops.bilinear import matrix_product
from dtd.network.ops.structure import rearrange
from dtd.primitive import LayerNorm, Softmax

aten = torch.ops.aten


def softmax(low: Lowering, node, x: Ref, axis, *args, **kwargs):
    """Softmax along an axis of one sample."""
    if kwargs.get("dtype", None) not in (None, low.like.dtype) or any(isinstance(a, torch.dtype) for a in args):
        raise low.unsupported(node, "It changes the dtype; keep one dtype throughout.")
    count = len(x.shape) + 1
    if axis % count == 0:
        raise low.unsupported(node, "It mixes samples: normalise over another axis than the first.")
    return low.emit(node, "softmax", Softmax(axis % count - count), (x,), shape=x.shape)


def attention(low: Lowering, node, query, key, value, mask=None, dropout=0.0, causal=False, *, scale=None, enable_gqa=False):
    """``softmax(q kᵀ · scale + mask) v`` as its parts."""
    if dropout or enable_gqa or isinstance(mask, Ref) or not all(isinstance(x, Ref) for x in (query, key, value)):
        raise low.unsupported(node, "It needs activations for q, k and v, no dropout, and a mask that is a constant.")
    positions, width = query.shape[-2], query.shape[-1]
    scores = (*query.shape[:-1], key.shape[-2])
    turned = rearrange(low, node, "permute", lambda a: a.mT, (key,), shape=(*key.shape[:-2], width, key.shape[-2]))
    logits = matrix_product(low, node, query, turned, scores)
    factor = 1 / sqrt(width) if scale is None else scale
    shift = None if mask is None or mask.dtype == torch.bool else constant(low, node, mask, scores)
    logits = scale_and_shift(low, node, logits, factor, shift, "scale", scores)
    if causal:
        mask = torch.ones(positions, key.shape[-2], dtype=torch.bool, device=low.like.device).tril()
    seen = None if mask is None or mask.dtype != torch.bool else constant(low, node, mask, scores) > 0
    weights = low.emit(node, "softmax", Softmax(-1, seen), (logits,), shape=scores)
    return matrix_product(low, node, weights, value)


def layer_norm(low: Lowering, node, x: Ref, sizes, weight=None, bias=None, epsilon=1e-5, *rest):
    """Layer norm over the last axes."""
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        raise low.unsupported(node, "Its gain and bias must be constants.")
    return low.emit(node, "layer_norm", LayerNorm(tuple(sizes), weight, bias, epsilon), (x,), shape=x.shape)


def rms_norm(low: Lowering, node, x: Ref, sizes, weight=None, epsilon=None):
    """RMS norm over the last axes."""
    if isinstance(weight, Ref):
        raise low.unsupported(node, "Its gain must be a constant.")
    op = LayerNorm(tuple(sizes), weight, None, epsilon, centred=False)
    return low.emit(node, "rms_norm", op, (x,), shape=x.shape)


HANDLERS = {
    aten.softmax.int: softmax,
    aten._softmax.default: softmax,
    aten.scaled_dot_product_attention.default: attention,
    aten.layer_norm.default: layer_norm,
    aten.rms_norm.default: rms_norm,
}
