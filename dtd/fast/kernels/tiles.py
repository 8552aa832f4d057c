"""Sums over windows side by side, as torch's own pooling."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine import WindowSum
from dtd.fast.kernels.passes import Passes


@dataclass(frozen=True, eq=False)
class TiledSum(Passes):
    """Sums over rectangles that neither overlap nor leave gaps, but for a rest at the end of an axis."""

    affine: WindowSum

    @classmethod
    def suits(cls, affine: WindowSum) -> bool:
        """Whether windows are tiles of the last two of three axes."""
        return len(affine.in_shape) == 3 and set(affine.windows) <= {1, 2} and all(map(is_tiling, affine.windows.values()))

    @cached_property
    def _size(self) -> list[int]:
        """Height and width of a window."""
        windows = self.affine.windows
        return [int(windows[axis][0].sum()) if axis in windows else 1 for axis in (1, 2)]

    def apply(self, a: Tensor) -> Tensor:
        return self.linear(a, self.affine.weight)

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return F.avg_pool2d(a, self._size, divisor_override=1) * weight

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        s = s * weight
        tiled = [places * size for places, size in zip(s.shape[2:], self._size, strict=True)]
        a = F.interpolate(s, tiled, mode="nearest-exact")
        rest = [size - reached for size, reached in zip(self.affine.in_shape[1:], tiled, strict=True)]
        return F.pad(a, (0, rest[1], 0, rest[0])) if any(rest) else a


def is_tiling(window: Tensor) -> bool:
    """Whether the rows of a membership matrix are equally long, one after the other, as many as there is room for."""
    places, size = len(window), int(window[0].sum())
    rest = window.shape[1] - places * size
    if not 0 <= rest < size:
        return False
    tiles = torch.eye(places, dtype=window.dtype, device=window.device).repeat_interleave(size, 1)
    return torch.equal(window, F.pad(tiles, (0, rest)))
