"""Fully connected maps with a large weight, where reading the weight is what a pass costs.

Each thread is given rows of its own, a block at a time, so that it can multiply what it has modified from its own cache.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from dtd.affine import Dense
from dtd.fast.kernels.change import Change, factor, sided
from dtd.fast.kernels.passes import Pass, Passes

LARGE_WEIGHT = 2**23  # bytes of a weight of which no modified copy is kept
POSITIONS = 8  # that share a weight at most: with more, multiplying is what a pass costs
CACHED = 2**21  # bytes that a thread modifies at a time


@dataclass(frozen=True, eq=False)
class StreamedDense(Passes):
    """Passes that go through the weight block by block."""

    affine: Dense

    @classmethod
    def suits(cls, affine: Dense) -> bool:
        """Whether the weight is large and used at few positions, on a processor: other devices have no caches to mind."""
        few = prod(affine.in_shape[:-1]) <= POSITIONS
        return few and affine.weight.device.type == "cpu" and affine.weight.nbytes > LARGE_WEIGHT

    def apply(self, a: Tensor) -> Tensor:
        z = self.linear(a, self.affine.weight)
        return z if self.affine.bias is None else z + self.affine.bias

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return raised(a.reshape(-1, a.shape[-1]), sliced(weight, torch.get_num_threads())).view(*a.shape[:-1], -1)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return self._lowered(s, weight.split(self._rows))

    def raising(self, change: Change, dtype: torch.dtype | None = None) -> Pass:
        """Large weights are modified as they are read, block by block, and in their own dtype."""
        slopes = change.slopes
        if slopes is None:
            return super().raising(change, dtype)

        def through(a: Tensor) -> Tensor:
            flat = a.reshape(-1, a.shape[-1])
            parts = [raised(flat, sliced(block, torch.get_num_threads())) for block in self._streamed(slopes)]
            return torch.cat(parts, -1).mul_(factor(slopes)).view(*a.shape[:-1], -1)

        return through

    def lowered(self, change: Change | None, dtype: torch.dtype | None) -> Pass:
        slopes = None if change is None else change.slopes
        if slopes is None:
            return super().lowered(change, dtype)
        return lambda s: self._lowered(s, self._streamed(slopes)).mul_(factor(slopes))

    @property
    def _rows(self) -> int:
        """How many rows are modified at a time."""
        weight = self.affine.weight
        return max(1, CACHED // (weight.shape[1] * weight.element_size())) * torch.get_num_threads()

    def _streamed(self, slopes: tuple[float, float]) -> Iterator[Tensor]:
        """Blocks of rows of the modified weight, but for :func:`factor`; each overwrites the one before."""
        weight, rows = self.affine.weight, self._rows
        buffer = weight.new_empty(rows, weight.shape[1])
        for block in weight.split(rows):
            yield sided(block, slopes, buffer[: len(block)])

    def _lowered(self, s: Tensor, blocks: Iterable[Tensor]) -> Tensor:
        """``Σ_k w_kj s_k`` over blocks of rows."""
        flat = s.reshape(-1, s.shape[-1])
        threads = torch.get_num_threads()
        parts = threads if len(flat) * threads <= self._rows else 1  # each has a sum of its own while these are small
        total = flat.new_zeros(parts, len(flat), self.affine.in_shape[-1])
        for part, block in zip(flat.split(self._rows, 1), blocks, strict=True):
            rows = sliced(block, parts)
            total[: len(rows)].baddbmm_(part.unflatten(1, (len(rows), -1)).transpose(0, 1), rows)
        return total.sum(0).view(*s.shape[:-1], -1)


def sliced(rows: Tensor, parts: int) -> Tensor:
    """Rows in equal parts, or in one where that cannot be. # shape: (R, J) -> (P, R/P, J)"""
    return rows.unflatten(0, (parts if len(rows) % parts == 0 else 1, -1))


def raised(a: Tensor, rows: Tensor) -> Tensor:
    """``Σ_j a_j w_kj``. # shape: (N, J), (P, R, J) -> (N, P·R)"""
    return torch.bmm(a.expand(len(rows), *a.shape), rows.mT).transpose(0, 1).reshape(len(a), -1)
