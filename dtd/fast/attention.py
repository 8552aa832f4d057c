"""Attention in a prepared pass: products, softmax, norms and smooth functions hand coefficients down, and save little.

With ``R = y ⊙ c`` above a layer, the coefficients below it are those of a gradient in which products are halved and scales
held: relevance need not be divided by anything.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.fast.quotients import masked
from dtd.fast.step import Plain, Setting, Step, prepare
from dtd.propagation import Layer
from dtd.relevance import HeldScale, MatMulShares, ProductShares, SoftmaxTangent
from dtd.relevance.products import share_of_first


class Coefficients(Step):
    """A step at which coefficients arrive, and that hands coefficients down."""

    takes_coefficients = True
    hands_coefficients = True
    owns_result = True


@dataclass(frozen=True, eq=False)
class ProductStep(Coefficients):
    """``y = a b``, ``c_a = share b ⊙ c`` and ``c_b = (1 − share) a ⊙ c``."""

    share: float

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        a, b = inputs
        return a * b, (a if self.share < 1 else None, b if self.share else None)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        a, b = saved
        first = torch.zeros_like(relevance) if b is None else relevance * b
        second = torch.zeros_like(relevance) if a is None else relevance * a
        return scaled(first, self.share), scaled(second, 1 - self.share)


@dataclass(frozen=True, eq=False)
class MatMulStep(Coefficients):
    """``y = a b``, ``c_a = share c bᵀ`` and ``c_b = (1 − share) aᵀ c``; where ``y = 0`` there is no root, and ``c`` is 0."""

    share: float
    may_overwrite: bool

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        a, b = inputs
        y = a @ b
        return y, (a, b, y)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        a, b, y = saved
        relevance = masked(relevance if self.may_overwrite else relevance.clone(), y)
        first = scaled(relevance @ b.mT, self.share) if self.share else torch.zeros_like(a)
        second = scaled(a.mT @ relevance, 1 - self.share) if self.share < 1 else torch.zeros_like(b)
        return first, second


@dataclass(frozen=True, eq=False)
class SoftmaxStep(Coefficients):
    """``s = softmax(x)``, ``c_j = s_j (c_j − Σ_k s_k c_k)``: softmax's own adjoint."""

    layer: Layer

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        s = self.layer(*inputs)
        return s, s

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (torch._softmax_backward_data(relevance, saved, self.layer.op.axis, saved.dtype),)


@dataclass(frozen=True, eq=False)
class HeldScaleStep(Coefficients):
    """``y = g (x − μ)/σ + β``, β a neuron: ``c_x = s − mean s`` with ``s = g c / σ``."""

    layer: Layer

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        (x,) = inputs
        y = self.layer(x)
        checks.append(y.ne(0).all())  # an output of 0 has no root
        return y, self.layer.op.gain(x)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        s, op = relevance * saved, self.layer.op
        return (s.sub_(s.mean(op.axes, keepdim=True)) if op.centred else s,)


def scaled(values: Tensor, factor: float) -> Tensor:
    """Values (overwritten) times a number."""
    return values if factor == 1 else values.mul_(factor)


@prepare.register
def _(model: ProductShares, layer: Layer, setting: Setting) -> Step:
    share = share_of_first(layer, model.share)
    return ProductStep(share) if setting.as_coefficients else Plain(model, layer)


@prepare.register
def _(model: MatMulShares, layer: Layer, setting: Setting) -> Step:
    share = share_of_first(layer, model.share)
    return MatMulStep(share, setting.may_overwrite) if setting.as_coefficients and not model.damping else Plain(model, layer)


@prepare.register
def _(model: SoftmaxTangent, layer: Layer, setting: Setting) -> Step:
    return SoftmaxStep(layer) if setting.as_coefficients else Plain(model, layer)


@prepare.register
def _(model: HeldScale, layer: Layer, setting: Setting) -> Step:
    moves = model.bias == "neuron" or layer.op.bias is None
    fitting = setting.as_coefficients and moves and not model.damping and (model.bias != "fixed" or not layer.op.centred)
    return HeldScaleStep(layer) if fitting else Plain(model, layer)
