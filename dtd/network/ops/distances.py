"""Distances to constant centres, as models write them, and soft maxima."""

import torch

from dtd.affine import Diagonal
from dtd.network.aten import aten
from dtd.network.lowering import Lowering, Ref
from dtd.network.ops.pooling import reduction
from dtd.network.ops.structure import reshaped
from dtd.primitive import LogSumExp, Pointwise, Reshape, SquaredDistance

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
    """A sum over axes; one layer where it makes ``((x.unsqueeze(-2) - centres) ** 2).sum(-1)``."""
    found = None if keepdim or options.get("dtype") is not None else differences(low, node, x, axes)
    if found is None:
        return plain_sum(low, node, x, axes, keepdim, **options)
    below, centres = found
    return low.emit(node, "squared_distance", SquaredDistance(centres), (below,))


def differences(low: Lowering, node, x: Ref, axes) -> tuple[Ref, torch.Tensor] | None:
    """What is compared with which centres (K, J), where a sum adds up the squares of such differences; None elsewhere."""
    last = axes in (-1, [-1], len(x.full) - 1, [len(x.full) - 1])
    if not last or low.varying or low.recorded is not None or len(x.full) < 3 or not is_square(node.args[0]):
        return None
    kinds = ("reshape", "expand", "shift", "power")
    chain = []
    at = x.index
    for kind in reversed(kinds):
        if at < 0 or low.layers[at].kind != kind:
            if kind == "expand":  # of one centre there is none
                continue
            return None
        chain.append(low.layers[at])
        at = low.layers[at].inputs[0]
    wide, shift = chain[-1], chain[1]
    if not isinstance(shift.op, Diagonal) or not isinstance(wide.op, Reshape) or shift.op.bias is None:
        return None
    *lead, count, width = x.shape
    opened = wide.op.before == (*lead, width) and wide.op.after == (*lead, 1, width)
    bias = shift.op.bias
    per_centre = bias.ndim >= 1 and all(n == 1 for n in bias.shape[:-2])
    if not opened or not per_centre or not bool((shift.op.weight == 1).all()):
        return None
    return Ref(at, (*x.full[:-2], width), wide.domain), -bias.reshape(bias.shape[-2:]).expand(count, width)


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
