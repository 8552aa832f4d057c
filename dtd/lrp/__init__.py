"""The explicit LRP rules, written from the papers' formulas and from nothing else in this package."""

from dtd.lrp.activations import LRPAlphaBeta, LRPEpsilon, LRPGamma, LRPSignedGamma, LRPSignedZPlus, LRPZero, LRPZPlus
from dtd.lrp.base import LRPRule, four_steps
from dtd.lrp.weights import LRPFlat, LRPFlatAll, LRPPattern, LRPWSquare, LRPZBox

__all__ = [
    "LRPAlphaBeta",
    "LRPEpsilon",
    "LRPFlat",
    "LRPFlatAll",
    "LRPGamma",
    "LRPPattern",
    "LRPRule",
    "LRPSignedGamma",
    "LRPSignedZPlus",
    "LRPWSquare",
    "LRPZBox",
    "LRPZPlus",
    "LRPZero",
    "four_steps",
]
