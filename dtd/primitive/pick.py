"""Outputs that are entries of the inputs at places that an index says."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from dtd.affine.base import Shape
from dtd.domain import Domain, hull
from dtd.primitive.moved import Mover


def flat(inputs: tuple[Tensor, ...]) -> Tensor:
    """The entries of all inputs, one after the other. # shape: (B, *in) each -> (B, N)"""
    return inputs[0].flatten(1) if len(inputs) == 1 else torch.cat([a.flatten(1) for a in inputs], 1)


def collected(index: Tensor, relevance: Tensor, shapes: tuple[Shape, ...]) -> tuple[Tensor, ...]:
    """What arrives at outputs, added up at the entries that they are. # shape: (B, *out) -> (B, *in) each"""
    sizes = [prod(shape) for shape in shapes]
    batch, source = len(relevance), (relevance * (index >= 0)).flatten(1)
    total = relevance.new_zeros(batch, sum(sizes))
    total = total.scatter_add(1, index.clamp(min=0).flatten(1).expand(batch, -1), source)
    return tuple(part.reshape(batch, *shape) for part, shape in zip(total.split(sizes, 1), shapes, strict=True))


@dataclass(frozen=True, eq=False)
class Gather(Mover):
    """``y_p = a_{index(p)}``, and the constant ``values_p`` where the index is −1.

    The index counts the entries of all inputs, one input after the other. # shape: index (*out) or (B, *out), values alike
    """

    index: Tensor
    values: Tensor | None
    shapes: tuple[Shape, ...]  # of one sample of each input
    shape: Shape  # of one sample of the output
    fixed: Domain | None = None  # where the constants among the outputs lie

    @property
    def places(self) -> Tensor:
        """The index with an axis for the samples. # shape: (1 or B, *out)"""
        return self.index if self.index.ndim > len(self.shape) else self.index.unsqueeze(0)

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        a, places = flat(inputs), self.places
        picked = a.gather(1, places.clamp(min=0).flatten(1).expand(len(a), -1)).view(len(a), *self.shape)
        return (picked if self.values is None else torch.where(places < 0, self.values, picked)), None

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return collected(self.places, relevance, self.shapes)

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        return None if self.values is None else (self.places < 0).to(like)

    def image(self, *domains: Domain) -> Domain:
        """The hull of the inputs' intervals and of the constants."""
        return hull(*domains, *(() if self.fixed is None else (self.fixed,)))


@dataclass(frozen=True, eq=False)
class Pick(Mover):
    """``y_p = a_{index(p)}`` with an index that depends on the activations: winners, sorted values, routes.

    In its linear region the index is constant, so each output is one input, which takes all of its relevance. Inputs that
    only say which entry is taken receive nothing.
    """

    choose: Callable[..., tuple[Tensor, Tensor | None]]  # inputs -> index, −1 for constants, and these. shape: (B, *out)
    shapes: tuple[Shape, ...]  # of one sample of each input
    steering: int = 0  # how many of the first inputs only say which entry is taken
    fixed: Domain | None = None  # where the constants among the outputs lie

    @property
    def holds(self) -> bool:
        """Whether activations only say which constants are taken: rows of a table, an expert's weights."""
        return self.steering == len(self.shapes)

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        (index, values), a = self.choose(*inputs), flat(inputs)
        picked = a.gather(1, index.clamp(min=0).flatten(1)).view(index.shape)
        return (picked if values is None else torch.where(index < 0, values.to(a), picked)), index

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return collected(saved, relevance, self.shapes)

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        return None if saved is None else (saved < 0).to(like)

    def image(self, *domains: Domain) -> Domain:
        """The hull of the entries' intervals, and of the constants."""
        return hull(*domains[self.steering :], *(() if self.fixed is None else (self.fixed,)))


@dataclass(frozen=True, eq=False)
class Switch(Mover):
    """``y_p = a_p`` where the mask is true and ``b_p`` elsewhere. # shape: mask broadcasts to (B, *shape)"""

    mask: Tensor

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        a, b = inputs
        return torch.where(self.mask, a, b), None

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return relevance * self.mask, relevance * ~self.mask

    def image(self, *domains: Domain) -> Domain:
        """The hull of both."""
        return hull(*domains)


@dataclass(frozen=True, eq=False)
class Filled(Mover):
    """``y_p = a_p`` where the mask is true and the constant ``value_p`` elsewhere, which is no input.

    # shape: mask and value broadcast to (B, *shape)
    """

    mask: Tensor
    value: Tensor
    fixed: Domain  # where the constants lie

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return torch.where(self.mask, inputs[0], self.value), None

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return (relevance * self.mask,)

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        mask = self.mask if self.mask.ndim == like.ndim else self.mask.unsqueeze(0)
        return (~mask).to(like).expand(len(mask), *like.shape[1:])

    def image(self, *domains: Domain) -> Domain:
        """The hull of the input's interval and of the constants."""
        return hull(*domains, self.fixed)


@dataclass(frozen=True, eq=False)
class Held(Mover):
    """``y = f(a, …)`` held constant at the data point, as ``detach()`` says, or since ``f`` has no slope.

    It hands no relevance down: all that arrives is the share of a constant.
    """

    function: Callable[..., Tensor]  # (B, *in) for each input -> (B, *out)
    range: Domain  # where the values lie

    @property
    def holds(self) -> bool:
        """Always."""
        return True

    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return self.function(*inputs), inputs

    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.zeros_like(a) for a in saved)

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        return torch.ones_like(like[:1])

    def image(self, *domains: Domain) -> Domain:
        """What was said when it was made."""
        return self.range
