"""Maps that work position by position: a scale and shift, and a weighted sum of several inputs."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from dtd.affine.base import AffineMap, Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Diagonal(AffineMap):
    """``z = w ⊙ a + b``: batch norm in evaluation mode, products with and sums with constants. One input a unit.

    ``weight`` and ``bias`` broadcast to ``in_shape = out_shape``.
    """

    separate = True

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return a * weight

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return s * weight

    def receptive_field(self, units: Tensor) -> Tensor:
        return units[:, None]

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight.expand(self.out_shape).flatten()[units][:, None]

    @property
    def fan_in(self) -> int:
        return 1

    @property
    def bias_shape(self) -> Shape:
        return tuple(self.weight.shape)

    def per_output(self, vector: Tensor) -> Tensor:
        return vector


@dataclass(frozen=True, eq=False, kw_only=True)
class StackSum(AffineMap):
    """``z = Σ_i w_i a_i`` over inputs stacked on a first axis: a residual sum as a two-argument affine map.

    ``in_shape = (n, *out_shape)``, ``weight`` (n,).
    """

    separate = True

    def _column(self, weight):
        return weight.view(-1, *[1] * len(self.out_shape))

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        return (a * self._column(weight)).sum(1)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return s.unsqueeze(1) * self._column(weight)

    def receptive_field(self, units: Tensor) -> Tensor:
        inputs = torch.arange(self.in_shape[0], device=units.device)
        return inputs * prod(self.out_shape) + units[:, None]

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        return weight.expand(len(units), -1)

    @property
    def fan_in(self) -> int:
        return self.in_shape[0]

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
