"""Normalisations: softmax and layer norm."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.domain import Box, Domain, NonNegative, Real
from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class Softmax(Op):
    """``s_k = e^{x_k} / Σ_l e^{x_l}`` along one axis."""

    axis: int  # counted from the end
    shown: Tensor | None = None  # where a mask lets inputs through; the others are no inputs
    blank: bool = True  # a place that sees no input at all gets 0 everywhere; else the same everywhere, as masks of −1e38 do

    def __call__(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        if self.shown is None:
            return x.softmax(self.axis)
        s = x.masked_fill(~self.shown, torch.finfo(x.dtype).min).softmax(self.axis)
        return s * self.shown if self.blank else s

    def image(self, *domains: Domain) -> Domain:
        """Shares."""
        return Box(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class LayerNorm(Op):
    """``y = g ⊙ (x − μ) / σ + β`` over the last axes; not ``centred``, RMSNorm with ``μ = 0``."""

    sizes: tuple[int, ...]  # of the last axes
    weight: Tensor | None
    bias: Tensor | None
    epsilon: float | None
    centred: bool = True

    @property
    def axes(self) -> tuple[int, ...]:
        """The normalised axes, counted from the end."""
        return tuple(range(-len(self.sizes), 0))

    def __call__(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        if self.centred:
            return F.layer_norm(x, self.sizes, self.weight, self.bias, 1e-5 if self.epsilon is None else self.epsilon)
        return F.rms_norm(x, self.sizes, self.weight, self.epsilon)

    def gain(self, x: Tensor) -> Tensor:
        """``g / σ``, what the distance from the mean is multiplied by. # shape: broadcasts to (B, *shape)"""
        default = 1e-5 if self.centred else torch.finfo(x.dtype).eps  # torch's own, where a module leaves it out
        epsilon = default if self.epsilon is None else self.epsilon
        variance = x.var(self.axes, correction=0, keepdim=True) if self.centred else x.square().mean(self.axes, keepdim=True)
        scale = (variance + epsilon).rsqrt()
        return scale if self.weight is None else scale * self.weight

    def image(self, *domains: Domain) -> Domain:
        """An RMSNorm with non-negative gains keeps non-negative inputs so."""
        (domain,) = domains
        kept = not self.centred and domain.nonnegative and (self.weight is None or bool((self.weight >= 0).all()))
        return NonNegative() if kept else Real()


@dataclass(frozen=True, eq=False)
class HeldNorm(LayerNorm):
    """``y = (x − μ) ⊙ r(x)`` with any scale ``r``, as models write norms by hand; ``μ`` is the mean over ``over``.

    Not ``centred``, ``μ = 0``: unit length, for example.
    """

    scale: Callable[[Tensor], Tensor] = torch.ones_like  # (B, *shape) -> broadcasts to (B, *shape)
    over: tuple[int, ...] = (-1,)

    @property
    def axes(self) -> tuple[int, ...]:
        return self.over

    def __call__(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return (x - x.mean(self.over, keepdim=True) if self.centred else x) * self.scale(x)

    def gain(self, x: Tensor) -> Tensor:
        return self.scale(x)

    def image(self, *domains: Domain) -> Domain:
        """What is not centred keeps its signs, where the scale is positive."""
        return Real()
