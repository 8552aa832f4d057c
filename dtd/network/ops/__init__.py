"""The table from aten ops to primitives: what is in it can be decomposed, everything else is an error."""

from dtd.network.capture import NO_STATISTICS
from dtd.network.ops import affine, arithmetic, linear, normalise, pooling, select, structure
from dtd.network.ops.pointwise import HANDLERS as POINTWISE

HANDLERS = {
    **affine.HANDLERS,
    **arithmetic.HANDLERS,
    **normalise.HANDLERS,
    **pooling.HANDLERS,
    **structure.HANDLERS,
    **select.HANDLERS,
    **linear.HANDLERS,
    **POINTWISE,
}


def advice(op: str) -> str:
    """What to do about an op that is not in the table."""
    if "batch_norm" in op and "no_stats" in op:
        return NO_STATISTICS
    if "batch_norm" in op or "dropout" in op:
        return "The model is in training mode: call model.eval() before dtd.trace."
    return (
        "Replace it by affine layers, pooling, pointwise activations, sums, products or moved data, trace a part without "
        "it, or keep its module in one piece: dtd.trace(..., opaque=[TheModule]), with dtd.Generic for it in the plan."
    )
