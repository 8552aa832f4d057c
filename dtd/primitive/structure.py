"""Moved data: every output entry is an input entry or a constant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.domain import Box, Domain, entries, exact, hull
from dtd.primitive.moved import Mover


@dataclass(frozen=True, eq=False)
class Reshape(Mover):
    """The same entries in another shape. # shape: (B, *before) -> (B, *after)"""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return inputs[0].reshape(inputs[0].shape[0], *self.after), None

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (relevance.reshape(relevance.shape[0], *self.before),)

    def image(self, *domains: Domain) -> Domain:
        """The domain with its bounds reshaped along."""
        (domain,) = domains
        return domain.map(lambda bound: bound.expand(-1, *self.before).reshape(-1, *self.after))


@dataclass(frozen=True, eq=False)
class Rearrange(Mover):
    """Permutation, slice, concatenation, expansion, padding: entries of the inputs and constants at other places."""

    function: Callable[..., Tensor]  # (B, *in) for each input -> (B, *out)
    shapes: tuple[tuple[int, ...], ...]  # of one sample of each input
    constants: Domain | None = None  # the range of the constants among the outputs

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        moved, adjoint, *_ = torch.func.vjp(self.function, *inputs)
        return moved, adjoint

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return saved(relevance)

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        if self.constants is None:
            return None
        zeros = tuple(like.new_zeros(1, *shape) for shape in self.shapes)
        _, moved, *_ = torch.func.jvp(self.function, zeros, tuple(z + 1 for z in zeros))
        return 1 - moved

    def image(self, *domains: Domain) -> Domain:
        """Bounds that differ between entries move along; otherwise the hull of the inputs and constants."""
        constants = [] if self.constants is None else [self.constants]
        bounds = [tuple(map(exact, d.bounds())) for d in domains]
        if all(b.numel() == 1 for pair in bounds for b in pair) or not all(isinstance(d, Box) for d in domains):
            return hull(*domains, *constants)
        batch = max((b.shape[0] for pair in bounds for b in pair if b.ndim), default=1)
        low, high = (
            self.function(*(pair[side].expand(batch, *shape) for pair, shape in zip(bounds, self.shapes, strict=True)))
            for side in (0, 1)
        )
        return entries(low, high)


@dataclass(frozen=True, eq=False)
class ZeroPad(Rearrange):
    """Zeros around the last axes; ``widths`` are (before, after) for each of them, slowest axis first."""

    widths: tuple[tuple[int, int], ...] = ()
