"""Sums of activations, and sums and products with constants."""

import torch
from torch import Tensor

from dtd.affine import Diagonal, StackSum
from dtd.network.images import stacked
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import product
from dtd.network.ops.structure import expanded

aten = torch.ops.aten


def constant(low: Lowering, node, value: Tensor | float, shape: tuple[int, ...]) -> Tensor:
    """A constant in the network's dtype, without a batch axis, that broadcasts to one sample of ``shape``."""
    value = torch.as_tensor(value, dtype=low.like.dtype, device=low.like.device)
    if value.ndim > len(shape):
        if value.shape[0] != 1:
            raise low.unsupported(node, f"A constant of shape {tuple(value.shape)} differs between samples of a batch.")
        value = value[0]
    return value


def scale_and_shift(low: Lowering, node, x: Ref, scale, shift, kind: str, shape=None):
    """``scale ⊙ x + shift`` with constants."""
    shape = low.shape(node) if shape is None else shape
    x = expanded(low, node, x, shape)
    weight = constant(low, node, scale, shape)
    bias = None if shift is None else constant(low, node, shift, shape)
    op = Diagonal(weight=weight, bias=bias, in_shape=shape, out_shape=shape)
    return low.emit(node, kind, op, (x,), shape=shape)


def add(low: Lowering, node, x, y, *, alpha=1):
    if not isinstance(y, Ref):
        return scale_and_shift(low, node, x, 1, alpha * y, "shift")
    if not isinstance(x, Ref):
        return scale_and_shift(low, node, y, alpha, x, "shift")
    shape = low.shape(node)
    terms = tuple(expanded(low, node, term, shape) for term in (x, y))
    weight = torch.tensor([1.0, alpha], dtype=low.like.dtype, device=low.like.device)
    op = StackSum(weight=weight, bias=None, in_shape=(2, *shape), out_shape=shape)
    return low.emit(node, "sum", op, terms, domain=stacked([t.domain for t in terms], shape, low.like))


def subtract(low: Lowering, node, x, y, *, alpha=1):
    return add(low, node, x, y if isinstance(y, Ref) else -y, alpha=-alpha if isinstance(y, Ref) else alpha)


def subtract_reversed(low: Lowering, node, x, y, alpha=1):
    return scale_and_shift(low, node, x, -alpha, y, "shift")


def multiply(low: Lowering, node, x, y):
    if isinstance(x, Ref) and isinstance(y, Ref):
        return product(low, node, x, y)
    x, y = (x, y) if isinstance(x, Ref) else (y, x)
    return scale_and_shift(low, node, x, y, None, "scale")


def divide(low: Lowering, node, x, y):
    if isinstance(y, Ref):
        raise low.unsupported(node, low.advice("div"))
    return scale_and_shift(low, node, x, 1 / y, None, "scale")


def negate(low: Lowering, node, x):
    return scale_and_shift(low, node, x, -1, None, "scale")


HANDLERS = {
    aten.add.Tensor: add,
    aten.add.Scalar: add,
    aten.sub.Tensor: subtract,
    aten.sub.Scalar: subtract,
    aten.rsub.Tensor: subtract_reversed,
    aten.rsub.Scalar: subtract_reversed,
    aten.mul.Tensor: multiply,
    aten.mul.Scalar: multiply,
    aten.div.Tensor: divide,
    aten.div.Scalar: divide,
    aten.neg.default: negate,
}
