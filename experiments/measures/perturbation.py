"""Region perturbation: what a network loses when the regions that an explanation ranks first are taken away.

The curve of one sample is ``f(x⁽⁰⁾) − f(x⁽ᵏ⁾)``, where ``x⁽ᵏ⁾`` lacks the first regions of an order; the area over the
perturbation curve is its mean over the steps, ``AOPC = 1/(L+1) Σ_{k=0}^{L} (f(x⁽⁰⁾) − f(x⁽ᵏ⁾))`` (Samek 2017). Regions of
one pixel are pixel flipping (Bach 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.errors import InputError


@dataclass(frozen=True, eq=False)
class Regions:
    """Which region each entry of an input belongs to; regions are squares over all channels, or runs of a vector.

    # shape: index (*in,), with values from 0 to number − 1
    """

    index: Tensor
    number: int

    @classmethod
    def of(cls, shape: tuple[int, ...], side: int) -> "Regions":
        """Regions of ``side`` × ``side`` pixels of ``(C, H, W)``, or of ``side`` features of ``(n,)``, smaller at the edge.

        Raises :class:`InputError` for other shapes.
        """
        if side < 1:
            raise InputError(f"A region needs a side of at least 1; found {side}.")
        if len(shape) == 1:
            index = torch.arange(shape[0]) // side
        elif len(shape) == 3:
            rows, columns = (torch.arange(n) // side for n in shape[1:])
            index = (rows[:, None] * (int(columns[-1]) + 1) + columns).expand(shape)
        else:
            raise InputError(f"Regions need inputs of shape (C, H, W) or (n,); found {shape}.")
        return cls(index, int(index.max()) + 1)

    def totals(self, relevance: Tensor) -> Tensor:
        """Relevance of each region. # shape: (B, *in) -> (B, number)"""
        flat = relevance.flatten(1)
        empty = flat.new_zeros(len(flat), self.number)
        return empty.scatter_add_(1, self.index.flatten().expand_as(flat), flat)

    def first(self, order: Tensor, count: int) -> Tensor:
        """Where the first ``count`` regions of an order are. # shape: (B, number) -> (B, *in), bool"""
        ranks = torch.empty_like(order).scatter_(1, order, torch.arange(self.number).expand_as(order))
        return (ranks < count)[:, self.index]


def most_relevant_first(totals: Tensor) -> Tensor:
    """Regions by falling relevance; equal ones in their own order. # shape: (B, number), int"""
    return totals.argsort(dim=1, descending=True, stable=True)


def least_relevant_first(totals: Tensor) -> Tensor:
    """Regions by rising relevance; equal ones in their own order. # shape: (B, number), int"""
    return totals.argsort(dim=1, stable=True)


def random_order(batch: int, number: int, generator: torch.Generator) -> Tensor:
    """Regions in an order drawn for each sample. # shape: (batch, number), int"""
    return torch.rand(batch, number, generator=generator).argsort(1)


def counts(number: int, steps: int | None, share: float) -> list[int]:
    """How many regions are gone after step 0, 1, … ``steps``: evenly up to a ``share`` of all; None takes one at a time."""
    last = round(share * number)
    if steps is None or steps >= last:
        return list(range(last + 1))
    return [round(last * k / steps) for k in range(steps + 1)]


@torch.no_grad()
def curve(
    score: Callable[[Tensor], Tensor], x: Tensor, regions: Regions, order: Tensor, gone: list[int], value: Tensor
) -> Tensor:
    """``f(x⁽⁰⁾) − f(x⁽ᵏ⁾)`` for each sample and step; ``value`` stands where a region is gone.

    # shape: score (B, *in) -> (B,), x (B, *in), order (B, number), value broadcasts to x; result (B, steps + 1)
    """
    filled = value.to(x).expand_as(x)
    start = score(x)
    scores = [score(torch.where(regions.first(order, count), filled, x)) for count in gone]
    return start[:, None] - torch.stack(scores, 1)


def aopc(curve: Tensor) -> Tensor:
    """The area over the perturbation curve of each sample; step 0 counts. # shape: (B, steps + 1) -> (B,)"""
    return curve.mean(1)
