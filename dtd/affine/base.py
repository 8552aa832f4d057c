"""An affine map whose weight can be replaced, and whose units can be looked at one by one."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from dtd.algebra import negative, positive
from dtd.domain import Box, Domain, NonNegative, Real, entries
from dtd.propagation import Op

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class AffineMap(Op):
    """``z = W a + b`` for a batch, in the two readings that a decomposition needs.

    Whole-layer passes with any weight of the same shape: :meth:`linear` ``(B, *in) -> (B, *out)`` and its adjoint
    :meth:`transpose` ``(B, *out) -> (B, *in)``, so that ``⟨s, linear(u, ρ)⟩ = ⟨transpose(s, ρ), u⟩`` for all u, s, ρ.

    Unit by unit: :meth:`receptive_field` says which inputs a flat output unit reads (−1: zero padding, which is no
    input), :meth:`rows` lays any weight-shaped tensor out along that field.
    """

    separate: ClassVar[bool] = False  # whether units share no inputs, or only average or add them up

    weight: Tensor
    bias: Tensor | None
    in_shape: Shape
    out_shape: Shape

    @abstractmethod
    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        """``Σ_j a_j w_kj`` with the given weight. # shape: (B, *in_shape) -> (B, *out_shape)"""

    @abstractmethod
    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        """``Σ_k w_kj s_k`` with the given weight. # shape: (B, *out_shape) -> (B, *in_shape)"""

    @abstractmethod
    def receptive_field(self, units: Tensor) -> Tensor:
        """Flat input index of each input of the given flat output units; −1 for padding.

        # shape: (k,) -> (k, J), or (B, k, J) where what a unit reads differs between samples
        """

    @abstractmethod
    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        """The entries of a weight-shaped tensor along the receptive fields. # shape: (k,) -> (k, J)"""

    @abstractmethod
    def per_output(self, vector: Tensor) -> Tensor:
        """Bring a bias-shaped tensor into a shape that broadcasts to ``(B, *out_shape)``."""

    @property
    @abstractmethod
    def fan_in(self) -> int:
        """J: inputs in the largest receptive field."""

    @property
    @abstractmethod
    def bias_shape(self) -> Shape:
        """Shape that a bias has, whether or not there is one."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        """:meth:`apply`, to several inputs stacked on a first axis."""
        return self.apply(inputs[0] if len(inputs) == 1 else torch.stack(inputs, 1))

    def image(self, *domains: Domain) -> Domain:
        """The smallest known domain that holds ``W a + b`` for ``a`` in the one domain of the (stacked) input.

        Boxes stay boxes through maps whose units are ``separate``: there interval arithmetic is exact for each unit. A dense
        layer or a convolution gives Real, or NonNegative when its weights, biases and inputs are.
        """
        (domain,) = domains
        if isinstance(domain, Box) and self.separate:
            low, high = map(self._as_input, domain.bounds())
            up, down = positive(self.weight), negative(self.weight)
            bias = 0 if self.bias is None else self.per_output(self.bias)
            return entries(*(self.linear(x, up) + self.linear(y, down) + bias for x, y in ((low, high), (high, low))))
        signed = [tensor for tensor in (self.weight, self.bias) if tensor is not None]
        return NonNegative() if domain.nonnegative and all(bool((t >= 0).all()) for t in signed) else Real()

    def _as_input(self, bound: float | Tensor) -> Tensor:
        """A bound in the input's shape. # shape: (1 or B, *in_shape)"""
        bound = torch.as_tensor(bound, dtype=self.weight.dtype, device=self.weight.device)
        batch = bound.shape[0] if bound.ndim == len(self.in_shape) + 1 else 1
        return bound.expand(batch, *self.in_shape)

    def apply(self, a: Tensor) -> Tensor:
        """Pre-activations ``z``. # shape: (B, *in_shape) -> (B, *out_shape)"""
        z = self.linear(a, self.weight)
        return z if self.bias is None else z + self.per_output(self.bias)

    @property
    def example(self) -> Tensor:
        """Zeros in the shape of one sample, without memory of their own. # shape: (1, *in_shape)"""
        return self.weight.new_zeros(()).expand(1, *self.in_shape)

    def scaled(self, scale: Tensor, shift: Tensor) -> "AffineMap":
        """The map followed by ``scale ⊙ z + shift`` per output channel (batch-norm folding). # shape: (C_out,)"""
        bias = shift if self.bias is None else scale * self.bias + shift
        return replace(self, weight=self.scale_rows(scale), bias=bias)

    def scale_rows(self, scale: Tensor) -> Tensor:
        """The weight with every output channel multiplied by ``scale``. # shape: (C_out,)"""
        return self.weight * scale.view(-1, *[1] * (self.weight.ndim - 1))
