"""Domains of several inputs together."""

import torch
from torch import Tensor

from dtd.affine import AffineMap, Diagonal
from dtd.domain import Box, Domain, Real, entries, hull
from dtd.propagation import Op

ZERO = Box(0.0, 0.0)


def stacked(domains: list[Domain], shape: tuple[int, ...], like: Tensor) -> Domain:
    """The domain of inputs stacked on a new first axis. # shape: one input has ``shape``"""
    if not all(isinstance(d, Box) for d in domains):
        return hull(*domains)
    bounds = [[torch.as_tensor(b, dtype=like.dtype, device=like.device) for b in d.bounds()] for d in domains]
    batch = max(b.shape[0] if b.ndim == len(shape) + 1 else 1 for pair in bounds for b in pair)
    low, high = (torch.stack([pair[side].expand(batch, *shape) for pair in bounds], 1) for side in (0, 1))
    return entries(low, high)


def image_of(op: Op, domain: Domain, varying: bool, shares: bool) -> Domain:
    """The domain of what an op returns; where its constants are ``varying`` ones of each sample, whatever these are.

    ``shares``: it is a product with numbers from 0 to 1, which moves entries towards 0 and not across.
    """
    if not varying or not isinstance(op, AffineMap):
        return op.image(domain)
    return hull(domain, ZERO) if shares and isinstance(op, Diagonal) and op.bias is None else Real()
