"""Operations that are not affine: pointwise functions, distances, soft maxima, products, norms, choices, moved data."""

from dtd.primitive.distance import MahalanobisDistance, SquaredDistance
from dtd.primitive.moved import Mover
from dtd.primitive.normalise import HeldNorm, LayerNorm, Softmax
from dtd.primitive.opaque import Opaque
from dtd.primitive.pick import Filled, Gather, Held, Pick, Switch
from dtd.primitive.pointwise import Pointwise
from dtd.primitive.pooling import LogSumExp
from dtd.primitive.product import MatMul, Product
from dtd.primitive.select import MaxPool
from dtd.primitive.structure import Rearrange, Reshape, ZeroPad

__all__ = [
    "Filled",
    "Gather",
    "Held",
    "HeldNorm",
    "LayerNorm",
    "LogSumExp",
    "MahalanobisDistance",
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
    "SquaredDistance",
    "Switch",
    "ZeroPad",
]
