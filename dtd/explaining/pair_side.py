"""One side of a pair: what a relevance pass finds for every unit of an embedding."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Protocol

import torch
from torch import Tensor

from dtd.callers.copies import on_copies
from dtd.callers.printing import Printed, shown
from dtd.errors import InputError, StaleError
from dtd.explaining.balances import Records
from dtd.explaining.explain import explain, explain_each
from dtd.explaining.explanation import Explanation
from dtd.explaining.request import Asked
from dtd.explaining.rows import samples_at
from dtd.explaining.starts.unit import Unit
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.propagation import PARTS

Pool = Callable[[Tensor], Tensor]  # (N, *in) -> (N, *groups)


@dataclass(frozen=True)
class OneOutput:
    """The target that is one entry of the output."""

    unit: tuple[int, ...]

    def __call__(self, output: Tensor) -> Tensor:
        chosen = output.new_zeros(output.shape[1:])
        chosen[self.unit] = 1
        return output * chosen


@dataclass(frozen=True)
class OneOutputEach:
    """The target that is another entry of the output for each of the copies of a sample."""

    units: tuple[tuple[int, ...], ...]

    def __call__(self, output: Tensor) -> Tensor:
        chosen = output.new_zeros(len(self.units), *output.shape[1:])
        for copy, unit in zip(chosen, self.units, strict=True):
            copy[unit] = 1
        return (output.unflatten(0, (-1, len(self.units))) * chosen).flatten(0, 1)


def each_unit(
    network: Network, inputs: Inputs, plan: Plan | None, shape: tuple[int, ...], layer: str | None
) -> Iterator[Explanation]:
    """The explanations of an embedding's units one after the other, from one forward sweep."""
    units = product(*map(range, shape))
    targets: list[Asked] = [OneOutput(unit) if layer is None else Unit(layer, index=unit) for unit in units]
    return explain_each(network, inputs, targets, plan)


def several_units(
    network: Network, inputs: Inputs, plan: Plan | None, shape: tuple[int, ...], at_once: int
) -> Iterator[Explanation]:
    """The explanations of ``at_once`` units of the output at a time, each on a copy of the samples."""
    batch, units = network.read(inputs).batch, list(product(*map(range, shape)))
    for start in range(0, len(units), at_once):
        some = tuple(units[start : start + at_once])
        rows = torch.arange(batch).repeat_interleave(len(some))
        yield explain(network, samples_at(network, inputs, rows), OneOutputEach(some), plan)


class UnitParts(Protocol):
    """Where a side finds what became of the relevance of each unit."""

    def parts(self) -> Tensor:
        """First order, bias, zeroth, remainder, each summed over layers. # shape: (B, M, 4)"""


@dataclass(frozen=True, eq=False)
class FromRecords:
    """From the explanations of the units, by one more pass for each."""

    records: tuple[Records, ...]
    first: Tensor  # Σ_i R_i. shape: (B, M)

    def parts(self) -> Tensor:
        """First order, bias, zeroth, remainder. # shape: (B, M, 4)"""
        kept = [summed(source.records()).reshape(len(self.first), -1, 3) for source in self.records]
        return torch.cat([self.first[..., None], torch.cat(kept, 1)], 2)


def summed(records: Mapping) -> Tensor:
    """Bias, zeroth and remainder of all layers. # shape: (B, 3)"""
    balances = [record.balance for record in records.values()]
    return torch.stack([torch.stack([getattr(b, part) for b in balances]).sum(0) for part in PARTS[1:]], 1)


@dataclass(frozen=True, eq=False)
class KnownParts:
    """What was found, of a side that was sent elsewhere; None where it could not be found any more."""

    found: Tensor | None

    def parts(self) -> Tensor:
        """First order, bias, zeroth, remainder. # shape: (B, M, 4)"""
        if self.found is None:
            raise StaleError(
                "What each unit keeps was not found before the input or the model's parameters changed, and so it did not "
                "come along. Read 'balance' before, or explain again."
            )
        return self.found


@dataclass(frozen=True, eq=False, repr=False)
class PairSide:
    """Relevance of every unit of one input's embedding: ``φ_m(x) = Σ_i R_i^(m) + kept_m``.

    # shape: relevance (B, M, *in), embedding and kept (B, M)
    """

    relevance: Tensor
    embedding: Tensor
    source: UnitParts

    def __repr__(self) -> str:
        return f"PairSide(relevance={shown(self.relevance)}, embedding={shown(self.embedding)})"

    @classmethod
    def of(cls, explanations: Iterable[Explanation], units: int, at_once: int) -> "PairSide":
        """From explanations of ``at_once`` units each, those of a sample one after the other."""
        relevance, sources, embedding = [], [], None
        for start, found in zip(range(0, units, at_once), explanations, strict=True):
            size = min(at_once, units - start)
            relevance.append(found.parts[0].unflatten(0, (len(found.output) // size, size)))
            sources.append(found.source)
            embedding = found.output[::size].flatten(1)
        assert embedding is not None
        stacked = torch.cat(relevance, 1)
        return cls(stacked, embedding, FromRecords(tuple(sources), stacked.flatten(2).sum(2)))

    @property
    def features(self) -> Tensor:
        """The relevance with features in one row. # shape: (B, M, I)"""
        return self.relevance.flatten(2)

    @cached_property
    def first(self) -> Tensor:
        """``Σ_i R_i^(m)``. # shape: (B, M)"""
        return self.features.sum(2)

    @property
    def kept(self) -> Tensor:
        """What the expansions of each unit keep back, ``φ_m − Σ_i R_i^(m)``. # shape: (B, M)"""
        return self.embedding - self.first

    @cached_property
    def parts(self) -> Tensor:
        """First order, bias, zeroth, remainder of each unit. # shape: (B, M, 4)"""
        return self.source.parts()

    def pooled(self, pool: Pool) -> "PairSide":
        """The side with features added up in groups; raises :class:`InputError` where sums are not kept."""
        batch, units = self.embedding.shape
        flat = self.relevance.flatten(0, 1)
        found = on_copies(pool)(flat)
        if not isinstance(found, Tensor) or found.ndim < 2 or len(found) != len(flat):
            what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(f"A pool must return a tensor ({len(flat)}, *groups) for {tuple(flat.shape)}; found {what}.")
        allowed = 1e3 * torch.finfo(flat.dtype).eps * flat.abs().flatten(1).sum(1)
        if bool(((found.flatten(1).sum(1) - flat.flatten(1).sum(1)).abs() > allowed).any()):
            raise InputError("A pool must add features up, each in one group; this one changes the sum of relevance.")
        return replace(self, relevance=found.reshape(batch, units, *found.shape[1:]))

    def __reduce__(self):
        """Copies and pickles hold what each unit keeps, and neither the network nor the input."""
        try:
            known = KnownParts(self.parts)
        except StaleError:
            known = KnownParts(None)
        return PairSide, (self.relevance, self.embedding, known)


@dataclass(frozen=True)
class Patches(Printed):
    """A pool of images: channels, and patches of ``height × width`` pixels, are added up.

    # shape: (N, C, H, W) -> (N, H/h, W/w)

    >>> import torch, dtd
    >>> dtd.Patches(2, 2)(torch.ones(1, 1, 4, 4)).tolist()
    [[[4.0, 4.0], [4.0, 4.0]]]
    """

    height: int
    width: int

    def __call__(self, relevance: Tensor) -> Tensor:
        if relevance.ndim != 4 or relevance.shape[2] % self.height or relevance.shape[3] % self.width:
            raise InputError(
                f"Patches of {self.height}×{self.width} need images (C, H, W) that they tile; found samples of shape "
                f"{tuple(relevance.shape[1:])}. Choose divisors of the image's sides, or give a pool of your own."
            )
        high, wide = relevance.shape[2] // self.height, relevance.shape[3] // self.width
        return relevance.sum(1).reshape(-1, high, self.height, wide, self.width).sum((2, 4))
