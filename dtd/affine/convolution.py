"""Convolutions and transposed convolutions of any dimension, and the geometry of their receptive fields."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.base import AffineMap, Shape

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONVOLVE_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def unravel(flat: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    """Coordinates of flat indices, slowest axis first."""
    return list(torch.unravel_index(flat, shape)) if shape else []


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sliding(AffineMap):
    """What both convolutions share: channels in groups, kernels that slide over positions."""

    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    padding: tuple[tuple[int, int], ...] = field(default=())  # (before, after) for each axis

    @property
    def kernel(self) -> tuple[int, ...]:
        return tuple(self.weight.shape[2:])

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape[:1]

    def per_output(self, vector: Tensor) -> Tensor:
        return vector.view(-1, *[1] * len(self.kernel))

    def _coordinates(self, axis: int, output: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Input coordinate read at an output coordinate through a kernel offset, and whether it is a real one."""
        raise NotImplementedError

    def _fields(self, units: Tensor, channels: Tensor) -> Tensor:
        """Flat input indices for the given units, reading the given channels. # shape: (k,), (k, c) -> (k, c·∏kernel)"""
        spatial = self.in_shape[1:]
        _, *outputs = unravel(units, self.out_shape)
        offsets = unravel(torch.arange(prod(self.kernel), device=units.device), self.kernel)
        index = torch.zeros(len(units), prod(self.kernel), dtype=torch.long, device=units.device)
        real = torch.ones_like(index, dtype=torch.bool)
        for axis, size in enumerate(spatial):
            coordinate, exact = self._coordinates(axis, outputs[axis][:, None], offsets[axis][None])
            real &= exact & (coordinate >= 0) & (coordinate < size)
            index = index * size + coordinate
        index = channels[:, :, None] * prod(spatial) + index[:, None]
        return index.masked_fill(~real[:, None], -1).flatten(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(_Sliding):
    """``z_{c,p} = Σ_{i,q} w_{c,i,q} a_{i, p·stride − pad + q·dilation} + b_c``; weight (C_out, C_in/groups, *kernel)."""

    @property
    def fan_in(self) -> int:
        return prod(self.weight.shape[1:])

    @cached_property
    def _even(self) -> bool:
        return all(before == after for before, after in self.padding)

    @cached_property
    def _before(self) -> tuple[int, ...]:
        """Padding before each axis, as far as it is torch's to add."""
        return tuple(before if self._even else 0 for before, _ in self.padding)

    @cached_property
    def unreached(self) -> tuple[int, ...]:
        """Inputs at the end of each axis that no window reaches."""
        sizes = zip(
            self.in_shape[1:], self.padding, self.out_shape[1:], self.stride, self.dilation, self.kernel, strict=True
        )
        return tuple(n + lo + hi - (m - 1) * st - di * (k - 1) - 1 for n, (lo, hi), m, st, di, k in sizes)

    def _convolve(self, a: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not self._even:
            a = F.pad(a, list(chain.from_iterable(reversed(self.padding))))
        return self._forward(a, weight, bias, self.stride, self._before, self.dilation, self.groups)

    @cached_property
    def _forward(self):
        return CONVOLVE[len(self.kernel)]

    @cached_property
    def _backward(self):
        return CONVOLVE_TRANSPOSED[len(self.kernel)]

    def apply(self, a: Tensor) -> Tensor:
        return self._convolve(a, self.weight, self.bias)

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return self._convolve(a, weight, None)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        a = self._backward(s, weight, None, self.stride, self._before, self.unreached, self.groups, self.dilation)
        if not self._even:
            for axis, (before, _) in enumerate(self.padding):
                a = a.narrow(axis + 2, before, self.in_shape[axis + 1])
        return a

    def _coordinates(self, axis: int, output: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        coordinate = output * self.stride[axis] - self.padding[axis][0] + offset * self.dilation[axis]
        return coordinate, torch.ones_like(coordinate, dtype=torch.bool)

    def receptive_field(self, units: Tensor) -> Tensor:
        channel = unravel(units, self.out_shape)[0]
        per_group = self.weight.shape[1]
        first = channel // (self.out_shape[0] // self.groups) * per_group
        return self._fields(units, first[:, None] + torch.arange(per_group, device=units.device))

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight[unravel(units, self.out_shape)[0]].flatten(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class TransposedConvolution(_Sliding):
    """The adjoint geometry of :class:`Convolution`; weight (C_in, C_out/groups, *kernel)."""

    output_padding: tuple[int, ...] = ()

    @property
    def fan_in(self) -> int:
        return self.in_shape[0] // self.groups * prod(self.kernel)

    def _expand(self, a: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = tuple(before for before, _ in self.padding)
        function = CONVOLVE_TRANSPOSED[len(self.kernel)]
        return function(a, weight, bias, self.stride, padding, self.output_padding, self.groups, self.dilation)

    def apply(self, a: Tensor) -> Tensor:
        return self._expand(a, self.weight, self.bias)

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return self._expand(a, weight, None)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        padding = tuple(before for before, _ in self.padding)
        function = CONVOLVE[len(self.kernel)]
        a = function(s, weight, None, self.stride, padding, self.dilation, self.groups)
        for axis, size in enumerate(self.in_shape[1:]):
            a = a.narrow(axis + 2, 0, size)
        return a

    def _coordinates(self, axis: int, output: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        distance = output + self.padding[axis][0] - offset * self.dilation[axis]
        stride = self.stride[axis]
        return torch.div(distance, stride, rounding_mode="floor"), distance % stride == 0

    def receptive_field(self, units: Tensor) -> Tensor:
        channel = unravel(units, self.out_shape)[0]
        per_group = self.in_shape[0] // self.groups
        first = channel // self.weight.shape[1] * per_group
        return self._fields(units, first[:, None] + torch.arange(per_group, device=units.device))

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        channel = unravel(units, self.out_shape)[0]
        group, local = channel // weight.shape[1], channel % weight.shape[1]
        grouped = weight.unflatten(0, (self.groups, -1))
        return grouped[group, :, local].flatten(1)

    def scale_rows(self, scale: Tensor) -> Tensor:
        per_channel = scale.view(self.groups, 1, self.weight.shape[1], *[1] * len(self.kernel))
        return (self.weight.unflatten(0, (self.groups, -1)) * per_channel).flatten(0, 1)
