"""Max pooling."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine import AffineMap
from dtd.domain import Domain, hull
from dtd.primitive.moved import Mover

Sizes = tuple[int, ...]
POOL = {2: F.max_pool2d, 3: F.max_pool3d}
UNPOOL = {
    2: torch.ops.aten.max_pool2d_with_indices_backward.default,
    3: torch.ops.aten.max_pool3d_with_indices_backward.default,
}


@dataclass(frozen=True, eq=False)
class MaxPool(Mover):
    """``y_p = max_{q in window(p)} a_q``, in its linear region ``y_p = a_winner``; of several equal winners the first.

    A plan that treats it as average pooling (:class:`dtd.MaxAsAverage`) finds the average over the same windows in
    ``average``.
    """

    average: AffineMap  # padding, which is no input, is not counted
    kernel: Sizes  # one entry for each pooled axis, as in the others
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    ceil_mode: bool

    @property
    def settings(self):
        """The arguments of torch's pooling; of one axis, as the second of two."""
        pairs = ((self.kernel, 1), (self.stride, 1), (self.padding, 0), (self.dilation, 1))
        return (*((free, *size) if self.flat else size for size, free in pairs), self.ceil_mode)

    @property
    def flat(self) -> bool:
        """Whether it pools one axis."""
        return len(self.kernel) == 1

    @property
    def axes(self) -> int:
        """How many axes torch is told to pool."""
        return max(2, len(self.kernel))

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        a = inputs[0].unsqueeze(-2) if self.flat else inputs[0]
        y, winners = POOL[self.axes](a, *self.settings, return_indices=True)
        return (y.squeeze(-2) if self.flat else y), (a.shape, a.stride(), winners)

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        shape, stride, winners = saved
        like = relevance.new_empty_strided(shape, stride)  # lends its shape and layout
        above = relevance.unsqueeze(-2) if self.flat else relevance
        lower = UNPOOL[self.axes](above, like, *self.settings, winners)
        return (lower.squeeze(-2) if self.flat else lower,)

    def at_winners(self, saved, a: Tensor) -> Tensor:
        """The entries of other activations at the winners of those that :meth:`move` saw. # shape: (B, *in) -> (B, *out)"""
        *_, winners = saved
        planes = (a.unsqueeze(-2) if self.flat else a).flatten(-self.axes)
        found = planes.gather(-1, winners.flatten(-self.axes)).view_as(winners)
        return found.squeeze(-2) if self.flat else found

    def image(self, *domains: Domain) -> Domain:
        """The hull of the entries' intervals."""
        return hull(*domains)
