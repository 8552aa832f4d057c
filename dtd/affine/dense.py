"""Fully connected maps."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.base import AffineMap


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(AffineMap):
    """``z = a Wᵀ + b`` on the last axis; any axes before it are positions that share the weight (K, J)."""

    def linear(self, a, weight):
        return F.linear(a, weight)

    def transpose(self, s, weight):
        return s @ weight

    def apply(self, a):
        return F.linear(a, self.weight, self.bias)

    def receptive_field(self, units):
        inputs = self.in_shape[-1]
        position = units // self.out_shape[-1]
        return position[:, None] * inputs + torch.arange(inputs, device=units.device)

    def rows(self, units, weight):
        return weight[units % self.out_shape[-1]]

    @property
    def fan_in(self):
        return self.in_shape[-1]

    @property
    def bias_shape(self):
        return self.out_shape[-1:]

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
