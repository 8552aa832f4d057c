"""Passes of affine maps without autograd: modified weights, and the quickest way to multiply with them."""

from dtd.fast.kernels.change import Change
from dtd.fast.kernels.fastest import fastest
from dtd.fast.kernels.passes import Passes

__all__ = ["Change", "Passes", "fastest"]
