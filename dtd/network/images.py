"""Domains of several inputs together."""

import torch
from torch import Tensor

from dtd.domain import Box, Domain, entries, hull


def stacked(domains: list[Domain], shape: tuple[int, ...], like: Tensor) -> Domain:
    """The domain of inputs stacked on a new first axis. # shape: one input has ``shape``"""
    if not all(isinstance(d, Box) for d in domains):
        return hull(*domains)
    bounds = [[torch.as_tensor(b, dtype=like.dtype, device=like.device) for b in d.bounds()] for d in domains]
    batch = max(b.shape[0] if b.ndim == len(shape) + 1 else 1 for pair in bounds for b in pair)
    low, high = (torch.stack([pair[side].expand(batch, *shape) for pair in bounds], 1) for side in (0, 1))
    return entries(low, high)
