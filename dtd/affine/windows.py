"""Sums and averages over rectangular windows: average, adaptive and sum pooling, mean and sum over axes."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from dtd.affine.base import AffineMap, Shape
from dtd.affine.convolution import unravel


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowSum(AffineMap):
    """``z_p = w_p Σ_{q in window(p)} a_q``: windows are products of sets of positions, one 0/1 matrix for each summed axis.

    Inside a window all weights are equal (1/area for an average), so the weight has one entry for each output
    position and broadcasts to ``out_shape``. Covers ceil mode, padding in or out of the count, dilation, adaptive windows
    of changing size and reductions over whole axes.
    """

    separate = True

    windows: dict[int, Tensor]  # per-sample axis -> (out, in) membership

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        for axis, window in self.windows.items():
            a = torch.movedim(torch.movedim(a, axis + 1, -1) @ window.mT, -1, axis + 1)
        return a * weight

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        s = s * weight
        for axis, window in self.windows.items():
            s = torch.movedim(torch.movedim(s, axis + 1, -1) @ window, -1, axis + 1)
        return s

    def receptive_field(self, units: Tensor) -> Tensor:
        index = torch.zeros(len(units), 1, dtype=torch.long, device=units.device)
        real = torch.ones_like(index, dtype=torch.bool)
        for axis, output in enumerate(unravel(units, self.out_shape)):
            size = self.in_shape[axis]
            if axis in self.windows:
                member = self.windows[axis][output] > 0  # (k, in)
                width = int(member.sum(1).max()) if len(units) else 1
                coordinate = torch.argsort(~member, dim=1, stable=True)[:, :width]
                inside = torch.gather(member, 1, coordinate)
            else:
                coordinate, inside = output[:, None], torch.ones_like(output[:, None], dtype=torch.bool)
            index = (index[:, :, None] * size + coordinate[:, None]).flatten(1)
            real = (real[:, :, None] & inside[:, None]).flatten(1)
        return index.masked_fill(~real, -1)

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        field = self.receptive_field(units)
        return weight.expand(self.out_shape).flatten()[units][:, None].expand(field.shape)

    @property
    def fan_in(self) -> int:
        return prod(int(window.sum(1).max()) for window in self.windows.values())

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def per_output(self, vector: Tensor) -> Tensor:
        return vector


def sliding_window(size: int, kernel: int, stride: int, padding: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Membership (out, in) of a pooling window, and its extent with padding counted, as torch's pooling defines it."""
    start = torch.arange(outputs) * stride - padding
    extent = torch.minimum(start + kernel, torch.tensor(size + padding)) - start
    return dilated_window(size, kernel, stride, padding, 1, outputs), extent.double()


def dilated_window(size: int, kernel: int, stride: int, padding: int, dilation: int, outputs: int) -> Tensor:
    """Membership (out, in) of a sliding window that reads every ``dilation``-th place; padding is no member."""
    offset = torch.arange(size) - (torch.arange(outputs) * stride - padding)[:, None]
    return ((offset >= 0) & (offset < kernel * dilation) & (offset % dilation == 0)).double()


def adaptive_window(size: int, outputs: int) -> Tensor:
    """Membership (out, in) of adaptive pooling: window i covers ``⌊i·size/out⌋ … ⌈(i+1)·size/out⌉ − 1``."""
    i = torch.arange(outputs)[:, None]
    place = torch.arange(size)
    return ((place >= i * size // outputs) & (place < -((i + 1) * size // -outputs))).double()


def outer(vectors: list[Tensor], axes: list[int], ndim: int) -> Tensor:
    """Product of one vector for each axis, as a tensor that broadcasts over ``ndim`` axes."""
    views = [v.view([-1 if d == axis else 1 for d in range(ndim)]) for v, axis in zip(vectors, axes, strict=True)]
    return prod(views, start=torch.ones([1] * ndim, dtype=torch.double))
