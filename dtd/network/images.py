"""Inference of domains through affine layers."""

import torch
from torch import Tensor

from dtd.affine import AffineMap, Diagonal, StackSum, WindowSum
from dtd.algebra import negative, positive
from dtd.domain import Box, Domain, NonNegative, Real, entries, hull


def affine_image(affine: AffineMap, domain: Domain) -> Domain:
    """The smallest known domain that holds ``W a + b`` for ``a`` in ``domain``.

    Boxes stay boxes through maps whose units share no inputs or only average them (batch norm, pooling, sums): there
    interval arithmetic is exact for each unit. A dense layer or a convolution gives Real, or NonNegative when its
    weights, biases and inputs are.
    """
    bias_nonnegative = affine.bias is None or bool((affine.bias >= 0).all())
    if isinstance(domain, Box) and isinstance(affine, (Diagonal, StackSum, WindowSum)):
        low, high = (as_input(bound, affine) for bound in domain.bounds())
        up, down = positive(affine.weight), negative(affine.weight)
        bias = 0 if affine.bias is None else affine.per_output(affine.bias)
        ends = [affine.linear(x, up) + affine.linear(y, down) + bias for x, y in ((low, high), (high, low))]
        return entries(*ends)
    if domain.nonnegative and bias_nonnegative and bool((affine.weight >= 0).all()):
        return NonNegative()
    return Real()


def as_input(bound: float | Tensor, affine: AffineMap) -> Tensor:
    """A bound in the map's input shape. # shape: (1 or B, *in_shape)"""
    bound = torch.as_tensor(bound, dtype=affine.weight.dtype, device=affine.weight.device)
    batch = bound.shape[0] if bound.ndim == len(affine.in_shape) + 1 else 1
    return bound.expand(batch, *affine.in_shape)


def stacked(domains: list[Domain], shape: tuple[int, ...], like: Tensor) -> Domain:
    """The domain of inputs stacked on a new first axis. # shape: one input has ``shape``"""
    if not all(isinstance(d, Box) for d in domains):
        return hull(*domains)
    bounds = [[torch.as_tensor(b, dtype=like.dtype, device=like.device) for b in d.bounds()] for d in domains]
    batch = max(b.shape[0] if b.ndim == len(shape) + 1 else 1 for pair in bounds for b in pair)
    low, high = (torch.stack([pair[side].expand(batch, *shape) for pair in bounds], 1) for side in (0, 1))
    return entries(low, high)
