"""The table from aten ops to operations: what is in it can be decomposed, everything else is an error."""

from dtd.network.capture import NO_STATISTICS
from dtd.network.ops.affine import AFFINE
from dtd.network.ops.arithmetic import ARITHMETIC
from dtd.network.ops.distances import DISTANCES
from dtd.network.ops.experts import EXPERTS
from dtd.network.ops.joined import JOINED
from dtd.network.ops.linear import LINEAR
from dtd.network.ops.normalise import NORMALISATIONS
from dtd.network.ops.pointwise import POINTWISE
from dtd.network.ops.pooling import POOLING
from dtd.network.ops.select import SELECTIONS
from dtd.network.ops.structure import STRUCTURE
from dtd.network.ops.vector_norm import VECTOR_NORMS
from dtd.network.ops.winners import WINNERS

HANDLERS = {
    **AFFINE,
    **ARITHMETIC,
    **NORMALISATIONS,
    **POOLING,
    **STRUCTURE,
    **JOINED,
    **SELECTIONS,
    **WINNERS,
    **LINEAR,
    **POINTWISE,
    **EXPERTS,
    **VECTOR_NORMS,
    **DISTANCES,
}


def advice(op: str) -> str:
    """What to do about an op that is not in the table."""
    if "batch_norm" in op and "no_stats" in op:
        return NO_STATISTICS
    if "batch_norm" in op or "dropout" in op:
        return (
            "The model is in training mode: call model.eval() before dtd.trace. Or a batch norm has no running statistics: "
            "build it with track_running_stats=True and let it see data in training mode, or use a norm over each sample "
            "(GroupNorm)."
        )
    return (
        "Replace it by affine layers, pooling, pointwise activations, sums, products or moved data, trace a part without "
        "it, or keep its module in one piece: dtd.trace(..., opaque=[TheModule]), with dtd.Generic for it in the plan."
    )
