"""Products of two activations, and of an activation with constant matrices."""

import torch
from torch import Tensor

from dtd.affine import AlongAxis
from dtd.domain import hull
from dtd.network.images import stacked
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.structure import expanded, reshaped
from dtd.network.sizes import Shape, stored
from dtd.primitive import MatMul, Product


def product(low: Lowering, node, x: Ref, y: Ref, full: Shape | None = None):
    """``x ⊙ y`` of two activations."""
    full = low.full(node) if full is None else full
    factors = tuple(expanded(low, node, factor, full) for factor in (x, y))
    op, domains = Product(), [factor.domain for factor in factors]
    image, domain = op.image(*domains), stacked(domains, stored(full), low.like)
    return low.emit(node, "product", op, factors, domain=domain, image=image, full=full)


def matrices(low: Lowering, node, x: Ref, y: Ref) -> tuple[Ref, Ref]:
    """Two factors with equal leading axes, so many that a sample keeps the last two."""
    x = reshaped(low, node, x, (1, *x.full)) if len(x.full) == 1 else x
    y = reshaped(low, node, y, (*y.full, 1)) if len(y.full) == 1 else y
    lead = torch.broadcast_shapes(x.full[:-2], y.full[:-2]) or (1,)

    def wide(factor: Ref) -> Ref:
        full = (*lead, *factor.full[-2:])
        padded = (*[1] * (len(full) - len(factor.full)), *factor.full)
        return expanded(low, node, reshaped(low, node, factor, padded), full)

    return wide(x), wide(y)


def matrix_product(low: Lowering, node, x: Ref, y: Ref, full: Shape | None = None):
    """``x @ y`` of two activations, position by position of the axes before the last two."""
    full = low.full(node) if full is None else full
    x, y = matrices(low, node, x, y)
    op, domains = MatMul(), (x.domain, y.domain)
    image, made = op.image(*domains), (*x.full[:-1], y.full[-1])
    ref = low.emit(node, "matmul", op, (x, y), domain=hull(*domains), image=image, full=made)
    return reshaped(low, node, ref, full)


def constant_times(low: Lowering, node, x: Ref | Tensor, y: Ref | Tensor, bias: Tensor | None = None):
    """``x @ y`` where one of them is constant, or differs only between samples."""
    full, left = low.full(node), isinstance(y, Ref)
    matrix, a = (x, y) if left else (y, x)
    assert isinstance(matrix, Tensor) and isinstance(a, Ref)
    if len(a.full) == 1 or matrix.ndim == 1:
        raise low.unsupported(node, "It needs two matrices. " + low.advice("matmul"))
    lead = full[:-2] or (1,)
    wide = (*lead, *a.full[-2:])
    a = expanded(low, node, reshaped(low, node, a, (*[1] * (len(wide) - len(a.full)), *a.full)), wide)
    weight = low.constant(node, matrix if left else matrix.mT, wide)
    made = (*lead, weight.shape[-2], wide[-1]) if left else (*wide[:-1], weight.shape[-2])
    bias = None if bias is None else low.constant(node, bias, made)
    op = AlongAxis(weight=weight, bias=bias, in_shape=a.shape, out_shape=stored(made), axis=-2 if left else -1)
    learned = matrix if low.is_learned(node) else None
    return reshaped(
        low,
        node,
        low.emit(node, "dense" if learned is not None else "matrix", op, (a,), weight=learned, full=made),
        full,
    )
