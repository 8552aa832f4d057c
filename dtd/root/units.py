"""Upper units, one by one: what a root strategy sees of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Protocol

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.copies import Handed, on_copies
from dtd.domain import Domain, Real
from dtd.errors import BudgetError

TEMPORARIES = 12  # tensors of shape (B, k, J) alive at once while a chunk is worked on


def rounding(spread: Tensor) -> Tensor:
    """Bound on the rounding error of ``1 − Σ_j terms`` from ``spread = Σ_j |terms|``."""
    return 32 * torch.finfo(spread.dtype).eps * (1 + spread)


class Units(Protocol):
    """Some upper units with their receptive fields, on tensors (:class:`FieldUnits`) or on symbols (the proofs).

    # shape: activations (B, k, J), weights (k, J), bias (k,), z (B, k); weights and bias with a first axis B where they are
    side values, which differ between samples, as receptive fields may
    """

    @property
    def activations(self) -> Any: ...

    @property
    def weights(self) -> Any: ...

    @property
    def bias(self) -> Any: ...

    @property
    def z(self) -> Any: ...

    def of_activations(self, function: Callable) -> Any:
        """A function of the activations, laid out along the receptive fields. # shape: (B, k, J)"""

    def of_weights(self, function: Callable) -> Any:
        """A function of the weights, laid out along the receptive fields. # shape: (k, J)"""

    def of_outputs(self, function: Callable) -> Any:
        """A function of the layer's pre-activations, at these units. # shape: (B, k)"""

    def total(self, terms: Any) -> Any:
        """``Σ_j`` over the receptive field. # shape: (B, k, J) -> (B, k)"""

    def rounding(self, terms: Any) -> Any:
        """Bound on the rounding error of ``1 − Σ_j terms``; 0 for exact arithmetic. # shape: (B, k, J) -> (B, k)"""

    def inputs(self) -> Any:
        """How many real inputs each unit has. # shape: (k,)"""

    def spread(self, per_unit: Any) -> Any:
        """A value of each unit at each of its real inputs. # shape: (B, k) -> (B, k, J)"""


@dataclass(frozen=True, eq=False)
class FieldUnits(Handed):
    """The units with flat indices ``index`` of an affine layer, at the activations of a batch. # shape: index (k,)"""

    map: AffineMap
    input: Tensor  # (B, *in_shape)
    index: Tensor

    @cached_property
    def field(self) -> Tensor:
        """Flat input indices, −1 for padding. # shape: (k, J), or (B, k, J) where they differ between samples"""
        return self.map.receptive_field(self.index)

    @cached_property
    def real(self) -> Tensor:
        """1 at real inputs, 0 at padding. # shape: as :attr:`field`"""
        return (self.field >= 0).to(self.input.dtype)

    def gather(self, a: Tensor) -> Tensor:
        """Lay input-shaped values out along the receptive fields, 0 at padding. # shape: (B, *in) -> (B, k, J)"""
        return self.laid_out(a) * self.real

    def laid_out(self, a: Tensor) -> Tensor:
        """The same, with some entry at padding. # shape: (B, *in) -> (B, k, J)"""
        field = self.field.clamp(min=0)
        return a.flatten(1)[:, field] if field.ndim == 2 else a.flatten(1).gather(1, field.flatten(1)).view(field.shape)

    @cached_property
    def activations(self) -> Tensor:
        return self.gather(self.input)

    @cached_property
    def weights(self) -> Tensor:
        return self.map.rows(self.index, self.map.weight) * self.real

    @cached_property
    def bias(self) -> Tensor:
        if self.map.bias is None:
            return torch.zeros(len(self.index), dtype=self.input.dtype, device=self.input.device)
        bias, shape = self.map.per_output(self.map.bias), self.map.out_shape
        if bias.ndim > len(shape):  # side values of each sample
            return bias.expand(len(self.input), *shape).flatten(1)[:, self.index]
        return bias.expand(shape).flatten()[self.index]

    @cached_property
    def z(self) -> Tensor:
        return self.total(self.activations * self.weights) + self.bias

    def of_activations(self, function):
        value = on_copies(function)(self.input)
        if not isinstance(value, Tensor):
            return value * self.real
        return self.gather(torch.broadcast_to(value, self.input.shape))

    def of_weights(self, function):
        value = on_copies(function)(self.map.weight)
        if not isinstance(value, Tensor):
            return value * self.real
        return self.map.rows(self.index, value) * self.real

    def of_outputs(self, function):
        value = function(self.map.apply(self.input))
        if not isinstance(value, Tensor):
            return value
        shape = (self.input.shape[0], *self.map.out_shape)
        return torch.broadcast_to(value, shape).flatten(1)[:, self.index]

    def scatter(self, terms: Tensor) -> Tensor:
        """Terms along the receptive fields, added up at the inputs that they are of. # shape: (B, k, J) -> (B, *in)"""
        lower = terms.new_zeros(len(terms), prod(self.map.in_shape))
        index = self.field.clamp(min=0).flatten(-2).expand(len(terms), -1)
        return lower.scatter_add_(1, index, (terms * self.real).flatten(1)).view(-1, *self.map.in_shape)

    def scatter_pairs(self, terms: Tensor, samples: Tensor, units: Tensor) -> Tensor:
        """The terms of pairs of a sample and one of these units, each at its inputs and 0 elsewhere.

        # shape: (B or 1, k, J), samples (P,), units (P,) as positions in ``index`` -> (P, *in)
        """
        lower = terms.new_zeros(len(samples), prod(self.map.in_shape))
        field = self.field.clamp(min=0).expand_as(self.activations)[samples, units]
        found = lower.scatter_add(1, field, (terms * self.real).expand_as(self.activations)[samples, units])
        return found.view(-1, *self.map.in_shape)

    def total(self, terms):
        return terms.sum(-1)

    def rounding(self, terms):
        return rounding(terms.abs().sum(-1))

    def inputs(self):
        return self.real.sum(-1)

    def spread(self, per_unit):
        return per_unit[..., None] * self.real

    def domain(self, domain: Domain) -> Domain:
        """A domain of the layer's input, laid out along the receptive fields; no unit has no bound."""
        if not len(self.index):
            return Real()
        return domain.map(lambda bound: self.laid_out(torch.broadcast_to(bound, self.input.shape)))


def at_once(affine: AffineMap, batch: int, memory: int, name: str) -> int:
    """How many units of the layer ``name`` fit in ``memory`` bytes; raises :class:`BudgetError` when not even one does."""
    inputs = affine.fan_in
    each = max(1, batch) * inputs * affine.weight.element_size() * TEMPORARIES
    if each > memory:
        raise BudgetError(
            f"One unit of layer '{name}' needs about {each:,} bytes ({batch} samples × {inputs} inputs); the memory "
            f"bound is {memory:,}. Raise 'memory' or explain fewer samples at once."
        )
    return memory // each


def chunks(affine: AffineMap, a: Tensor, index: Tensor, memory: int, name: str) -> Iterator[FieldUnits]:
    """The units ``index`` of the layer ``name``, as many at a time as fit in ``memory`` bytes."""
    for part in index.split(at_once(affine, len(a), memory, name)):
        yield FieldUnits(affine, a, part)
