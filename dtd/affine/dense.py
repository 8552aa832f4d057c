"""Fully connected maps."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.base import AffineMap

KEPT = 2**24  # bytes of a weight whose modified copies are kept
CACHED = 2**21  # bytes of a block that is modified as it is read


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(AffineMap):
    """``z = a Wᵀ + b`` on the last axis; any axes before it are positions that share the weight (K, J)."""

    def linear(self, a, weight):
        return F.linear(a, weight)

    def transpose(self, s, weight):
        return s @ weight

    def apply(self, a):
        return F.linear(a, self.weight, self.bias)

    @property
    def _blocks(self) -> tuple[Tensor, ...] | None:
        """Rows of a weight that is too large to keep modified copies of, as many as fit in a processor's cache."""
        size = self.weight.numel() * self.weight.element_size()
        return self.weight.split(max(1, len(self.weight) * CACHED // size)) if size > KEPT else None

    def raising(self, change, dtype=None):
        """Large weights are modified as they are read, block by block, and in their own dtype."""
        blocks = self._blocks
        if blocks is None or not change.entrywise:
            return super().raising(change, dtype)
        return lambda a: torch.cat([F.linear(a, change.function(rows)) for rows in blocks], -1)

    def lowered(self, change, dtype):
        blocks = self._blocks
        if blocks is None or (change is not None and not change.entrywise):
            return super().lowered(change, dtype)

        def through(s: Tensor) -> Tensor:
            flat = s.reshape(-1, s.shape[-1])
            total = flat.new_zeros(len(flat), self.in_shape[-1])
            for part, rows in zip(flat.split(len(blocks[0]), 1), blocks, strict=True):
                total.addmm_(part, rows if change is None else change.function(rows))
            return total.view(*s.shape[:-1], -1)

        return through

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
