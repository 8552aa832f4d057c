"""Operations that are not affine: pointwise, products, normalisations, a choice among inputs, and moved data."""

from dtd.primitive.moved import Mover
from dtd.primitive.normalise import HeldNorm, LayerNorm, Softmax
from dtd.primitive.opaque import Opaque
from dtd.primitive.pick import Filled, Gather, Held, Pick, Switch
from dtd.primitive.pointwise import Pointwise
from dtd.primitive.product import MatMul, Product
from dtd.primitive.select import MaxPool
from dtd.primitive.structure import Rearrange, Reshape, ZeroPad

__all__ = [
    "Filled",
    "Gather",
    "Held",
    "HeldNorm",
    "LayerNorm",
    "MatMul",
    "MaxPool",
    "Mover",
    "Opaque",
    "Pick",
    "Pointwise",
    "Product",
    "Rearrange",
    "Reshape",
    "Softmax",
    "Switch",
    "ZeroPad",
]
