"""Fully connected maps.

Where a weight is large, reading it is what a pass costs. Each thread is then given rows of its own, a block at a time, so
that it can multiply what it has modified from its own cache.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.base import AffineMap
from dtd.affine.change import factor, sided

LARGE = 2**23  # bytes of a weight of which no modified copy is kept
CACHED = 2**21  # bytes that a thread modifies at a time


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(AffineMap):
    """``z = a Wᵀ + b`` on the last axis; any axes before it are positions that share the weight (K, J)."""

    @cached_property
    def _large(self) -> bool:
        """Whether passes go through the weight block by block; other devices than processors have no caches to mind."""
        return self.weight.device.type == "cpu" and self.weight.nbytes > LARGE

    def linear(self, a, weight):
        if not self._large:
            return F.linear(a, weight)
        return raised(a.reshape(-1, a.shape[-1]), sliced(weight, torch.get_num_threads())).view(*a.shape[:-1], -1)

    def transpose(self, s, weight):
        if not self._large:
            return s @ weight
        return self._lowered(s, weight.split(self._rows))

    def apply(self, a):
        if not self._large:
            return F.linear(a, self.weight, self.bias)
        return super().apply(a)

    @property
    def _rows(self) -> int:
        """How many rows are modified at a time."""
        size = self.weight.shape[1] * self.weight.element_size()
        return max(1, CACHED // size) * torch.get_num_threads()

    def _streamed(self, slopes: tuple[float, float]) -> Iterator[Tensor]:
        """Blocks of rows of the modified weight, but for :func:`factor`; each overwrites the one before."""
        rows = self._rows
        buffer = self.weight.new_empty(rows, self.weight.shape[1])
        for block in self.weight.split(rows):
            yield sided(block, slopes, buffer[: len(block)])

    def raising(self, change, dtype=None):
        """Large weights are modified as they are read, block by block, and in their own dtype."""
        if not self._large or change.slopes is None:
            return super().raising(change, dtype)

        def through(a: Tensor) -> Tensor:
            flat = a.reshape(-1, a.shape[-1])
            parts = [raised(flat, sliced(block, torch.get_num_threads())) for block in self._streamed(change.slopes)]
            return torch.cat(parts, -1).mul_(factor(change.slopes)).view(*a.shape[:-1], -1)

        return through

    def lowered(self, change, dtype):
        if not self._large or change is None or change.slopes is None:
            return super().lowered(change, dtype)
        return lambda s: self._lowered(s, self._streamed(change.slopes)).mul_(factor(change.slopes))

    def _lowered(self, s: Tensor, blocks: Iterable[Tensor]) -> Tensor:
        """``Σ_k w_kj s_k`` over blocks of rows."""
        flat = s.reshape(-1, s.shape[-1])
        threads = torch.get_num_threads()
        parts = threads if len(flat) * threads <= self._rows else 1  # each has a sum of its own while these are small
        total = flat.new_zeros(parts, len(flat), self.in_shape[-1])
        for part, block in zip(flat.split(self._rows, 1), blocks, strict=True):
            rows = sliced(block, parts)
            total[: len(rows)].baddbmm_(part.unflatten(1, (len(rows), -1)).transpose(0, 1), rows)
        return total.sum(0).view(*s.shape[:-1], -1)

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


def sliced(rows: Tensor, parts: int) -> Tensor:
    """Rows in equal parts, or in one where that cannot be. # shape: (R, J) -> (P, R/P, J)"""
    return rows.unflatten(0, (parts if len(rows) % parts == 0 else 1, -1))


def raised(a: Tensor, rows: Tensor) -> Tensor:
    """``Σ_j a_j w_kj``. # shape: (N, J), (P, R, J) -> (N, P·R)"""
    return torch.bmm(a.expand(len(rows), *a.shape), rows.mT).transpose(0, 1).reshape(len(a), -1)
