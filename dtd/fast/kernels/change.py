"""Modifications ``ρ(w)`` of a weight."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

import torch
from torch import Tensor


class Change(NamedTuple):
    """A modification of a weight."""

    function: Callable[[Tensor], Tensor]
    key: Hashable  # what it is remembered by
    slopes: tuple[float, float] | None  # (p, q) where it is ``p w⁺ + q w⁻``, so that it acts on any part of a weight alone

    def __call__(self, weight: Tensor, dtype: torch.dtype | None) -> Tensor:
        """The modified weight, in another dtype where one is given."""
        if self.slopes is None:
            modified = self.function(weight)
        else:
            modified = sided(weight, self.slopes, torch.empty_like(weight)).mul_(factor(self.slopes))
        return modified if dtype is None else modified.to(dtype)


def factor(slopes: tuple[float, float]) -> float:
    """What :func:`sided` leaves out."""
    return slopes[0] or slopes[1]


def sided(w: Tensor, slopes: tuple[float, float], out: Tensor) -> Tensor:
    """``(p w⁺ + q w⁻) / factor`` in one pass over ``w``, written to ``out``."""
    p, q = slopes
    return torch.ops.aten.leaky_relu.out(w, q / p, out=out) if p else torch.clamp_max(w, 0, out=out)
