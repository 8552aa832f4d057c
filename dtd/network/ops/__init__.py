"""The table from aten ops to primitives: what is in it can be decomposed, everything else is an error."""

from dtd.network.ops import affine, arithmetic, pooling, structure
from dtd.network.ops.pointwise import HANDLERS as POINTWISE

HANDLERS = {**affine.HANDLERS, **arithmetic.HANDLERS, **pooling.HANDLERS, **structure.HANDLERS, **POINTWISE}


def advice(op: str) -> str:
    """What to do about an op that is not in the table."""
    if "batch_norm" in op or "dropout" in op:
        return "The model is in training mode: call model.eval() before dtd.trace."
    if any(word in op for word in ("mul", "matmul", "bmm", "div", "attention", "einsum")):
        return (
            "Products and quotients of two activations have no relevance model here. Trace the part of the model "
            "before or after it, or make one side a constant."
        )
    return "Replace it by affine layers, pooling, pointwise activations, sums or moved data, or trace a part without it."
