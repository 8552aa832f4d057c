"""Sums of activations, and sums and products with constants."""

from dataclasses import replace

import torch

from dtd.affine import Diagonal, StackSum
from dtd.domain import NonNegative, Real
from dtd.network.aten import aten
from dtd.network.images import stacked
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.bilinear import product
from dtd.network.ops.masks import hide, hides
from dtd.network.ops.structure import expanded
from dtd.network.sizes import Shape, stored
from dtd.primitive import Pointwise


def scale_and_shift(low: Lowering, node, x: Ref, scale, shift, kind: str, full: Shape | None = None):
    """``scale ⊙ x + shift`` with constants."""
    full = low.full(node) if full is None else full
    ref = expanded(low, node, replace(x, shown=None), full)
    weight = low.constant(node, scale, full)
    bias = None if shift is None else low.constant(node, shift, full)
    op = Diagonal(weight=weight, bias=bias, in_shape=ref.shape, out_shape=ref.shape)
    return replace(low.emit(node, kind, op, (ref,), full=full), shown=x.shown)


def add(low: Lowering, node, x, y, *, alpha=1):
    if isinstance(x, Ref) and isinstance(y, Ref):
        return sum_of_two(low, node, x, y, alpha)
    (x, scale, shift) = (x, 1, alpha * y) if isinstance(x, Ref) else (y, alpha, x)
    if not hides(low, node, shift):
        return scale_and_shift(low, node, x, scale, shift, "shift")
    finite, shown = hide(low, node, shift)
    if finite is None and scale == 1:
        ref = expanded(low, node, replace(x, shown=None), low.full(node))
    else:
        ref = scale_and_shift(low, node, replace(x, shown=None), scale, finite, "shift")
    return replace(ref, shown=shown if x.shown is None else x.shown & shown)


def sum_of_two(low: Lowering, node, x: Ref, y: Ref, alpha):
    """``x + alpha y`` of two activations."""
    full = low.full(node)
    shape, shown = stored(full), [ref.shown for ref in (x, y) if ref.shown is not None]
    terms = tuple(expanded(low, node, replace(term, shown=None), full) for term in (x, y))
    weight = torch.tensor([1.0, alpha], dtype=low.like.dtype, device=low.like.device)
    op = StackSum(weight=weight, bias=None, in_shape=(2, *shape), out_shape=shape)
    domain = stacked([t.domain for t in terms], shape, low.like)
    ref = low.emit(node, "sum", op, terms, domain=domain)
    return replace(ref, shown=None if not shown else shown[0] if len(shown) == 1 else shown[0] & shown[1])


def subtract(low: Lowering, node, x, y, *, alpha=1):
    return add(low, node, x, y if isinstance(y, Ref) else -y, alpha=-alpha if isinstance(y, Ref) else alpha)


def subtract_reversed(low: Lowering, node, x, y, alpha=1):
    if isinstance(y, Ref):
        return subtract(low, node, y, x, alpha=alpha)
    return scale_and_shift(low, node, x, -alpha, y, "shift")


def multiply(low: Lowering, node, x, y):
    if isinstance(x, Ref) and isinstance(y, Ref):
        return product(low, node, x, y)
    x, y = (x, y) if isinstance(x, Ref) else (y, x)
    return scale_and_shift(low, node, x, y, None, "scale")


def inverted(low: Lowering, node, x):
    """``1/x``, a function of one activation; where it is infinite the network is."""
    image = NonNegative() if x.domain.nonnegative else Real()
    return low.emit(node, "reciprocal", Pointwise(torch.reciprocal, torch.inf), (x,), full=x.full, image=image)


def divided(low: Lowering, node, x, y, *, rounding_mode=None):
    if rounding_mode is not None:
        raise low.unsupported(node, "It rounds to whole numbers, which has no slope.")
    if not isinstance(y, Ref):
        divisor = torch.as_tensor(y, dtype=low.like.dtype, device=low.like.device)
        return scale_and_shift(low, node, x, 1 / divisor, None, "scale")
    inverse = inverted(low, node, y)
    return multiply(low, node, x, inverse)


def negate(low: Lowering, node, x):
    return scale_and_shift(low, node, x, -1, None, "scale")


def addcmul(low: Lowering, node, x, y, z, *, value=1):
    """``x + value y z``."""
    if isinstance(y, Ref) and isinstance(z, Ref):
        full = tuple(torch.broadcast_shapes(y.full, z.full))
        made = product(low, node, y, z, full)
    elif isinstance(y, Ref) or isinstance(z, Ref):
        y, z = (y, z) if isinstance(y, Ref) else (z, y)
        made = scale_and_shift(low, node, y, z, None, "scale", tuple(torch.broadcast_shapes(y.full, z.shape)))
    else:
        made = y * z
    return add(low, node, x, made, alpha=value)


ARITHMETIC = {
    aten.add.Tensor: add,
    aten.add.Scalar: add,
    aten.sub.Tensor: subtract,
    aten.sub.Scalar: subtract,
    aten.rsub.Tensor: subtract_reversed,
    aten.rsub.Scalar: subtract_reversed,
    aten.mul.Tensor: multiply,
    aten.mul.Scalar: multiply,
    aten.div.Tensor: divided,
    aten.div.Scalar: divided,
    aten.div.Tensor_mode: divided,
    aten.reciprocal.default: inverted,
    aten.neg.default: negate,
    aten.addcmul.default: addcmul,
}
