"""Affine maps: one interface for every layer that is linear in its input up to a bias."""

from dtd.affine.along import AlongAxis
from dtd.affine.base import AffineMap
from dtd.affine.change import Change
from dtd.affine.convolution import Convolution, TransposedConvolution
from dtd.affine.dense import Dense
from dtd.affine.elementwise import Diagonal, StackSum
from dtd.affine.swift import swift
from dtd.affine.windows import WindowSum

__all__ = [
    "AffineMap",
    "AlongAxis",
    "Change",
    "Convolution",
    "Dense",
    "Diagonal",
    "StackSum",
    "TransposedConvolution",
    "WindowSum",
    "swift",
]
