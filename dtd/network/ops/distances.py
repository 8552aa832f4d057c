"""Distances to constant centres, as models write them, and soft maxima."""

import torch
from torch import Tensor

from dtd.affine import AffineMap, AlongAxis, Dense, Diagonal
from dtd.network.aten import aten
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.pooling import reduction
from dtd.network.ops.structure import reshaped
from dtd.primitive import LogSumExp, MahalanobisDistance, Pointwise, Reshape, SquaredDistance
from dtd.propagation import Layer

EUCLIDEAN = "It is read for p = 2 and constant centres (K, J) as its second argument."
plain_sum = reduction("sum_over_axes")


def euclidean_distance(low: Lowering, node, x, centres, p=2.0, mode=None):
    """``cdist``: the square root of squared distances to constant centres."""
    if low.varying or not isinstance(x, Ref) or isinstance(centres, Ref) or p != 2:
        raise low.unsupported(node, EUCLIDEAN)
    if centres.ndim == 3 and centres.shape[0] == 1:
        centres = centres[0]
    full = low.full(node)
    if centres.ndim != 2 or full != (*x.full[:-1], len(centres)):
        raise low.unsupported(node, EUCLIDEAN)
    squares = low.emit(node, "squared_distance", SquaredDistance(centres), (x,), full=full)
    return low.emit(node, "sqrt", Pointwise(torch.sqrt, 0.0), (squares,), full=full)


def sum_or_distance(low: Lowering, node, x, axes=None, keepdim=False, **options):
    """A sum over axes; one layer where it makes ``((x.unsqueeze(-2) - centres) ** 2).sum(-1)``, weighted or not."""
    found = None if keepdim or options.get("dtype") is not None else differences(low, node, x, axes)
    if found is None:
        return plain_sum(low, node, x, axes, keepdim, **options)
    below, centres, factors = found
    if factors is None:
        return low.emit(node, "squared_distance", SquaredDistance(centres), (below,))
    return low.emit(node, "mahalanobis_distance", MahalanobisDistance(centres, factors), (below,))


def differences(low: Lowering, node, x: Ref, axes) -> tuple[Ref, Tensor, Tensor | None] | None:
    """What is compared with which centres (K, J) by which factors, where a sum adds up such squares; None elsewhere."""
    last = axes in (-1, [-1], len(x.full) - 1, [len(x.full) - 1])
    if not last or low.varying or low.recorded is not None or len(x.full) < 3 or not is_square(node.args[0]):
        return None
    if x.index < 0 or low.layers[x.index].kind != "power":
        return None
    top = low.layers[x.index].inputs[0]
    for between in WEIGHTED:
        weights, at = chain_below(low, top, between)
        opening, start = chain_below(low, at, ("shift", "expand", "reshape"))
        if not opening:  # of one centre nothing is expanded
            opening, start = chain_below(low, at, ("shift", "reshape"))
        if len(weights) == len(between) and opening:
            break
    else:
        return None
    shift, wide = opening[0].op, opening[-1]
    if not isinstance(shift, Diagonal) or not isinstance(wide.op, Reshape) or shift.bias is None:
        return None
    *lead, count, width = opening[0].shape
    opened = wide.op.before == (*lead, width) and wide.op.after == (*lead, 1, width)
    centres = per_centre(shift.bias, count, width)
    if not opened or centres is None or not bool((shift.weight == 1).all()):
        return None
    factors = whitening(weights, count, width)
    if weights and (factors is None or any(layer.path in low.modules for layer in weights)):  # a layer that plans may name
        return None
    return Ref(start, (*x.full[:-2], width), wide.domain), -centres, factors


OPENED = (("reshape", kind, "reshape") for kind in ("matrix", "dense"))  # each difference as a row or as a column
WEIGHTED = ((), ("scale",), ("dense",), *OPENED)  # what may stand between a shift and its square


def chain_below(low: Lowering, at: int, kinds: tuple[str, ...]) -> tuple[list[Layer], int]:
    """The layers of these kinds, one below the other from ``at`` on, and what they read; no layer where others stand."""
    found: list[Layer] = []
    start = at
    for kind in kinds:
        if at < 0 or low.layers[at].kind != kind:
            return [], start
        found.append(low.layers[at])
        at = low.layers[at].inputs[0]
    return found, at


def per_centre(values: Tensor, count: int, width: int) -> Tensor | None:
    """Constants as those of centres, where they are alike along the axes before. # shape: (K, J)"""
    if values.ndim < 1 or any(n != 1 for n in values.shape[:-2]):
        return None
    return values.reshape(values.shape[-2:]).expand(count, width)


def whitening(weights: list[Layer], count: int, width: int) -> Tensor | None:
    """The factors of a Mahalanobis distance; None where the layers are no linear map of each difference."""
    if not weights or any(isinstance(layer.op, AffineMap) and layer.op.bias is not None for layer in weights):
        return None
    op = weights[len(weights) // 2].op
    if isinstance(op, Diagonal):
        return per_centre(op.weight, count, width)
    if not isinstance(op, (Dense, AlongAxis)) or (len(weights) > 1 and not is_matrix_of_each(weights, op)):
        return None
    if op.weight.ndim == 2:
        return op.weight.mT.expand(count, -1, -1)
    return op.weight.mT if op.weight.ndim == 3 and len(op.weight) == count else None


def is_matrix_of_each(weights: list[Layer], op: Dense | AlongAxis) -> bool:
    """Whether a map between two reshapes is one of each difference: as a row (1, J) or as a column (J, 1)."""
    last, first = weights[0].op, weights[-1].op
    axis = op.axis if isinstance(op, AlongAxis) else -1
    if axis not in (-1, -2) or not isinstance(first, Reshape) or not isinstance(last, Reshape):
        return False

    def alone(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], 1, shape[-1]) if axis == -1 else (*shape, 1)

    return (op.in_shape, op.out_shape) == (alone(first.before), alone(last.after))


def is_square(node) -> bool:
    """Whether a call squares."""
    if node.target is aten.pow.Tensor_Scalar:
        return node.args[1] == 2
    return node.target is aten.square.default


def log_sum_exp(low: Lowering, node, x, axes, keepdim=False):
    """One layer for each axis."""
    made, sizes = x, list(x.full)
    for axis in [axes] if isinstance(axes, int) else axes:
        at = axis % len(x.full)
        if x.axis(at) < 0:
            low.suspect(node)
            made = reshaped(low, node, made, (1, *made.full))
            op = LogSumExp(at - len(x.full), 1)
            made = reshaped(low, node, low.emit(node, "log_sum_exp", op, (made,), full=made.full), tuple(sizes))
            continue
        sizes[at] = 1
        made = low.emit(node, "log_sum_exp", LogSumExp(at - len(x.full), x.full[at]), (made,), full=tuple(sizes))
    return reshaped(low, node, made, low.full(node))


DISTANCES = {
    aten.cdist.default: euclidean_distance,
    aten.sum.dim_IntList: sum_or_distance,
    aten.logsumexp.default: log_sum_exp,
}
