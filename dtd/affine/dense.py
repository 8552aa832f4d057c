"""Fully connected maps."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.base import AffineMap, Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(AffineMap):
    """``z = a Wᵀ + b`` on the last axis; any axes before it are positions that share the weight (K, J)."""

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return F.linear(a, weight)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return s @ weight

    def apply(self, a: Tensor) -> Tensor:
        return F.linear(a, self.weight, self.bias)

    def receptive_field(self, units: Tensor) -> Tensor:
        inputs = self.in_shape[-1]
        position = units // self.out_shape[-1]
        return position[:, None] * inputs + torch.arange(inputs, device=units.device)

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight[units % self.out_shape[-1]]

    @property
    def fan_in(self) -> int:
        return self.in_shape[-1]

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape[-1:]

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
