"""Moved data: every output entry is an input entry or a constant."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.domain import Box, Domain, entries, exact, hull
from dtd.primitive.moved import Mover
from dtd.propagation import Layer, Propagated, balance, per_sample


@dataclass(frozen=True, eq=False)
class Reshape(Mover):
    """The same entries in another shape. # shape: (B, *before) -> (B, *after)"""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def move(self, inputs):
        return inputs[0].reshape(inputs[0].shape[0], *self.after), None

    def follow(self, saved, relevance):
        return (relevance.reshape(relevance.shape[0], *self.before),)

    def backward(self, layer: Layer, saved, relevance):
        lower = self.follow(saved, relevance)
        return Propagated(lower, balance(relevance, lower))

    def image(self, domain: Domain) -> Domain:
        """The domain with its bounds reshaped along."""
        return domain.map(lambda bound: bound.expand(-1, *self.before).reshape(-1, *self.after))


@dataclass(frozen=True, eq=False)
class Rearrange(Mover):
    """Permutation, slice, concatenation, expansion, padding: relevance follows each entry back to where it came from.

    An entry that was copied collects the relevance of its copies; what lands on a constant (padding, a concatenated
    buffer) is reported as the bias share, since a constant is no input.
    """

    function: Callable[..., Tensor]  # (B, *in) for each input -> (B, *out)
    constants: Domain | None = None  # the range of the constants among the outputs

    def move(self, inputs):
        output, adjoint = torch.func.vjp(self.function, *inputs)
        return output, (adjoint, tuple(a.shape for a in inputs))

    def follow(self, saved, relevance):
        return saved[0](relevance)

    def backward(self, layer: Layer, saved, relevance):
        lower, shapes = self.follow(saved, relevance), saved[1]
        if self.constants is None:
            return Propagated(lower, balance(relevance, lower))
        zeros = tuple(relevance.new_zeros((1, *shape[1:])) for shape in shapes)
        _, moved = torch.func.jvp(self.function, zeros, tuple(z + 1 for z in zeros))
        return Propagated(lower, balance(relevance, lower, bias=per_sample(relevance * (1 - moved))))

    def image(self, domains: list[Domain], shapes: list[tuple[int, ...]]) -> Domain:
        """Bounds that differ between entries move along; otherwise the hull of the inputs and constants."""
        constants = [] if self.constants is None else [self.constants]
        bounds = [tuple(map(exact, d.bounds())) for d in domains]
        if all(b.numel() == 1 for pair in bounds for b in pair) or not all(isinstance(d, Box) for d in domains):
            return hull(*domains, *constants)
        batch = max((b.shape[0] for pair in bounds for b in pair if b.ndim), default=1)
        low, high = (
            self.function(*(pair[side].expand(batch, *shape) for pair, shape in zip(bounds, shapes, strict=True)))
            for side in (0, 1)
        )
        return entries(low, high)


@dataclass(frozen=True, eq=False)
class ZeroPad(Rearrange):
    """Zeros around the last axes; ``widths`` are (before, after) for each of them, slowest axis first."""

    widths: tuple[tuple[int, int], ...] = ()
