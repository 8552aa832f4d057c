"""Lengths of vectors along axes, as their parts: powers, a sum, a root."""

from math import inf

import torch

from dtd.domain import NonNegative
from dtd.network.aten import aten
from dtd.network.fixed import Fixed
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.pooling import reduction
from dtd.network.ops.winners import reduced
from dtd.primitive import Pointwise


def vector_norm(low: Lowering, node, x: Ref, order=2, axes=None, keepdim=False, *, dtype=None):
    """``(Σ |x_j|^p)^(1/p)`` over some axes (None: all), the largest or smallest ``|x_j|`` for ``p = ±∞``.

    LRP-0 in the sum, and powers that pass relevance, give ``|x_j|^p / Σ |x|^p`` of it to each entry, which is its
    gradient × input.
    """
    order = 2.0 if order is None else float(order)
    if order == 0:
        raise low.unsupported(node, "It counts the entries that are not 0, which has no slope.")
    axes = list(range(len(x.full))) if axes in (None, []) else [axes] if isinstance(axes, int) else list(axes)
    if abs(order) == inf or order != 2:
        absolute = Pointwise(torch.abs, torch.inf, kinks=(0.0,))
        x = low.emit(node, "abs", absolute, (x,), image=NonNegative(), full=x.full)
    if abs(order) == inf:
        return reduced(order > 0)(low, node, x, axes, keepdim)
    if order != 1:
        power = Pointwise(Fixed(torch.pow, (order,)), torch.inf)
        x = low.emit(node, "power", power, (x,), image=NonNegative(), full=x.full)
    total = reduction("sum_over_axes")(low, node, x, axes, keepdim)
    if order == 1:
        return total
    root = torch.sqrt if order == 2 else Fixed(torch.pow, (1 / order,))
    return low.emit(node, "root", Pointwise(root, torch.inf), (total,), image=NonNegative(), full=total.full)


def norm_over_all(low: Lowering, node, x: Ref, order=2):
    """The length of a sample as a whole."""
    return vector_norm(low, node, x, order)


VECTOR_NORMS = {
    aten.linalg_vector_norm.default: vector_norm,
    aten.norm.ScalarOpt_dim: vector_norm,
    aten.norm.Scalar: norm_over_all,
}
