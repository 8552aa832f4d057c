"""Affine maps: one interface for every layer that is linear in its input up to a bias."""

from dtd.affine.along import AlongAxis
from dtd.affine.base import AffineMap
from dtd.affine.convolution import Convolution, TransposedConvolution
from dtd.affine.dense import Dense
from dtd.affine.elementwise import Diagonal, StackSum
from dtd.affine.scatter import ScatterSum
from dtd.affine.windows import WindowSum

__all__ = [
    "AffineMap",
    "AlongAxis",
    "Convolution",
    "Dense",
    "Diagonal",
    "ScatterSum",
    "StackSum",
    "TransposedConvolution",
    "WindowSum",
]
