"""Sums of entries that an index sends to the same place."""

from dataclasses import dataclass
from math import prod

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
        places, entries = self.paired(a)
        total = a.new_zeros(len(entries), prod(self.out_shape))
        return total.scatter_add(1, places, entries).view(-1, *self.out_shape) * weight

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        places, entries = self.paired(s)
        return entries.gather(1, places).view(-1, *self.in_shape) * weight

    def paired(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The places and the values of each sample; either may be one for all. # shape: (B or 1, *) -> (B, N), (B, M)"""
        batch = max(len(values), len(self.places)) if len(values) else 0
        return self.places.expand(batch, -1), values.flatten(1).expand(batch, -1)

    def receptive_field(self, units: Tensor) -> Tensor:
        member = self.places[:, None] == units[:, None]  # (1 or B, k, N)
        width = max(1, int(member.sum(2).max())) if member.numel() else 1
        order = torch.argsort(~member, dim=2, stable=True)[..., :width]
        field = order.masked_fill(~member.gather(2, order), -1)
        return field[0] if len(field) == 1 else field

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight.expand(self.receptive_field(units).shape)

    @property
    def fan_in(self) -> int:
        counts = self.places.new_zeros(len(self.places), prod(self.out_shape))
        counts = counts.scatter_add(1, self.places, torch.ones_like(self.places))
        return max(1, int(counts.max())) if counts.numel() else 1

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
