"""Primitives that are not affine: one input at a time, a choice among inputs, and moved data."""

from dtd.primitive.pointwise import Pointwise
from dtd.primitive.select import MaxPool
from dtd.primitive.structure import Rearrange, Reshape

__all__ = ["MaxPool", "Pointwise", "Rearrange", "Reshape"]
