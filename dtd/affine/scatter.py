"""Sums of entries that an index sends to the same place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.affine.base import AffineMap, Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class ScatterSum(AffineMap):
    """``z_k = w Σ_{j: index(j) = k} a_j + b``: each input goes to one output, which adds up what comes.

    # shape: weight (), index (*in_shape) or (B, *in_shape), of flat places in the output
    """

    separate = True

    index: Tensor

    @property
    def places(self) -> Tensor:
        """The index with an axis for the samples. # shape: (1 or B, N)"""
        return (self.index if self.index.ndim > len(self.in_shape) else self.index.unsqueeze(0)).flatten(1)

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        total = a.new_zeros(len(a), *self.out_shape).flatten(1)
        return total.scatter_add(1, self.places.expand(len(a), -1), a.flatten(1)).view(len(a), *self.out_shape) * weight

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return s.flatten(1).gather(1, self.places.expand(len(s), -1)).view(len(s), *self.in_shape) * weight

    def receptive_field(self, units: Tensor) -> Tensor:
        if len(self.places) > 1:
            raise NotImplementedError("Receptive fields that differ between samples cannot be laid out together.")
        member = self.places[0][None] == units[:, None]  # (k, N)
        width = max(1, int(member.sum(1).max())) if len(units) else 1
        order = torch.argsort(~member, dim=1, stable=True)[:, :width]
        return order.masked_fill(~member.gather(1, order), -1)

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight.expand(self.receptive_field(units).shape)

    @property
    def fan_in(self) -> int:
        counts = torch.bincount(self.places[0])
        return max(1, int(counts.max())) if counts.numel() else 1

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
