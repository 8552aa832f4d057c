"""Values without a slope: comparisons, winners' places and what is computed of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.network.refs import Ref, flatten
from dtd.network.sides import replaced
from dtd.network.sizes import Shape


@dataclass(frozen=True)
class Discrete:
    """A value that depends on activations and is constant around a data point: truth values, or integers.

    ``function`` gives it for one sample of the activations ``refs``, each in the shape that layers hold.
    """

    refs: tuple[Ref, ...]
    function: Callable[..., Any]
    full: Shape | None  # as exported; None for several results
    dtype: torch.dtype | None = None


def known(index: dict[int, Tensor], value: Any) -> Any:
    """Arguments with the activations and discrete values of one sample in their places."""
    value = replaced(value, Ref, lambda ref: index[ref.index].reshape(ref.full))
    return replaced(value, Discrete, lambda d: d.function(*(index[ref.index] for ref in d.refs)))


def sources(value: Any) -> tuple[Ref, ...]:
    """The activations that arguments depend on, each once."""
    found: dict[int, Ref] = {}
    for leaf in flatten([value]):
        for ref in (leaf,) if isinstance(leaf, Ref) else leaf.refs if isinstance(leaf, Discrete) else ():
            found.setdefault(ref.index, ref)
    return tuple(found.values())


def composed(function: Callable, args: tuple, kwargs: dict, full: Shape | None, dtype: torch.dtype | None) -> Discrete:
    """A function of activations and discrete values that has no slope."""
    refs = sources((args, kwargs))
    return Discrete(refs, Composed(function, args, kwargs, refs), full, dtype)


@dataclass(frozen=True, eq=False)
class Composed:
    """A function of activations and discrete values as one of the activations ``refs``, for one sample."""

    function: Callable
    args: tuple
    kwargs: dict
    refs: tuple[Ref, ...]

    def __call__(self, *activations: Tensor) -> Any:
        index = {ref.index: a for ref, a in zip(self.refs, activations, strict=True)}
        given, named = known(index, self.args), known(index, self.kwargs)
        return self.function(*given, **named)


@dataclass(frozen=True, eq=False)
class OneOf:
    """One of several results of a function."""

    function: Callable
    number: int

    def __call__(self, *activations: Tensor) -> Tensor:
        return self.function(*activations)[self.number]


@dataclass(frozen=True, eq=False)
class AsNumbers:
    """A discrete value of a batch as numbers. # shape: (B, *in) for each input -> (B, *shape)"""

    function: Callable  # of one sample
    shape: Shape
    dtype: torch.dtype

    def __call__(self, *activations: Tensor) -> Tensor:
        return torch.vmap(self.one)(*activations)

    def one(self, *activations: Tensor) -> Tensor:
        """One sample."""
        return self.function(*activations).reshape(self.shape).to(self.dtype)


def result_of(value: Discrete, number: int, full: Shape, dtype: torch.dtype) -> Discrete:
    """One of several results."""
    return Discrete(value.refs, OneOf(value.function, number), full, dtype)


@dataclass(frozen=True, eq=False)
class Routes:
    """Where the outputs of an op that moves entries come from, sample by sample.

    ``refs`` are all inputs, the first ``steering`` of which only say which entries are taken. # shape: (B, *in) each ->
    index (B, *out), −1 for constants; values of the constants (B, *out)
    """

    function: Callable
    args: tuple
    kwargs: dict
    refs: tuple[Ref, ...]
    steering: int
    shape: tuple[int, ...]

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        return torch.vmap(self.one)(*inputs)

    def one(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """One sample."""
        index = {ref.index: a for ref, a in zip(self.refs[: self.steering], inputs, strict=False)}
        places, start = {}, 1
        for ref, a in zip(self.refs, inputs, strict=True):
            count = torch.arange(start, start + a.numel(), dtype=torch.float64, device=a.device)
            places[ref.index], start = count.reshape(a.shape), start + a.numel()
        held = [
            replaced(g, Discrete, lambda d: d.function(*(index[r.index] for r in d.refs))) for g in (self.args, self.kwargs)
        ]
        found = self.run(held, places, lambda t: torch.zeros_like(t, dtype=torch.float64))
        zeros = {i: torch.zeros_like(p) for i, p in places.items()}
        values = self.run(held, zeros, lambda t: t.double())
        return found.reshape(self.shape).long() - 1, values.reshape(self.shape)

    def run(self, held: list, entries: dict[int, Tensor], constant: Callable[[Tensor], Tensor]) -> Tensor:
        """The op on other entries, and with ``constant`` of its floating-point constants."""

        def number(leaf: Tensor) -> Tensor:
            return constant(leaf) if leaf.is_floating_point() else leaf

        given = [replaced(g, Tensor, number) for g in held]
        args, kwargs = (replaced(g, Ref, lambda ref: entries[ref.index].reshape(ref.full)) for g in given)
        return self.function(*args, **kwargs)
