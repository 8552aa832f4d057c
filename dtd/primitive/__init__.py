"""Primitives that are not affine: pointwise, products, normalisations, a choice among inputs, and moved data."""

from dtd.primitive.normalise import LayerNorm, Pass, Softmax
from dtd.primitive.opaque import Opaque
from dtd.primitive.pointwise import Pointwise
from dtd.primitive.product import MatMul, Product
from dtd.primitive.select import MaxPool
from dtd.primitive.structure import Rearrange, Reshape

__all__ = ["LayerNorm", "MatMul", "MaxPool", "Opaque", "Pass", "Pointwise", "Product", "Rearrange", "Reshape", "Softmax"]
