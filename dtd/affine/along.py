"""A matrix along one axis: products with constant matrices, interpolation, running sums."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.affine.base import AffineMap, Shape
from dtd.affine.convolution import unravel


@dataclass(frozen=True, eq=False, kw_only=True)
class AlongAxis(AffineMap):
    """``z_{…k…} = Σ_j w_kj a_{…j…} + b`` along one axis of a sample, which is counted from the end.

    The weight ``(K, J)`` is the same at all other positions. Along one of the last two axes it may differ along the axes
    before these, as in a product with several matrices, ``(…, K, J)``, and between samples, ``(B, …, K, J)``: it then has
    one axis more than a sample.
    """

    axis: int

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        if self.axis == -1:
            return a @ weight.mT
        if self.axis == -2:
            return weight @ a
        return torch.movedim(torch.movedim(a, self.axis, -1) @ weight.mT, -1, self.axis)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        return self.linear(s, weight.mT)

    def receptive_field(self, units: Tensor) -> Tensor:
        inputs = self.in_shape[self.axis]
        after = 1
        for size in self.in_shape[self.axis :][1:]:
            after *= size
        outer, inner = units // (after * self.out_shape[self.axis]), units % after
        first = outer * inputs * after + inner
        return first[:, None] + after * torch.arange(inputs, device=units.device)

    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        places = unravel(units, self.out_shape)
        place = places[self.axis]
        if weight.ndim == 2:
            return weight[place]
        samples = max(0, weight.ndim - len(self.out_shape))  # 1 where it differs between samples
        lead = (*weight.shape[:samples], *self.out_shape[:-2])
        return weight.expand(*lead, *weight.shape[-2:])[(slice(None),) * samples + (*places[:-2], place)]

    def scale_rows(self, scale: Tensor) -> Tensor:
        raise NotImplementedError("A matrix along one axis has no output channels.")

    @property
    def fan_in(self) -> int:
        return self.in_shape[self.axis]

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def per_output(self, vector: Tensor) -> Tensor:
        return vector
