"""One layer of a prepared pass: everything decided that does not depend on the data."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from dtd.primitive import Pointwise
from dtd.propagation import Layer, Propagation


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """What a layer of a prepared pass can count on.

    Relevance travels as it is, or as its coefficients ``c`` with ``R = y ⊙ c`` for the values ``y`` that it belongs to: then
    a layer need not save ``y``.
    """

    as_coefficients: bool = False  # coefficients arrive
    may_overwrite: bool = False  # what arrives may be overwritten
    activation: Layer | None = None  # the one layer above, a pointwise function that may be merged into this one
    dtype: torch.dtype | None = None  # of the passes with modified weights; None for the network's

    @property
    def function(self) -> Pointwise | None:
        """The pointwise function above."""
        op = None if self.activation is None else self.activation.op
        return op if isinstance(op, Pointwise) else None

    def merge(self, checks: list[Tensor], z: Tensor, overwrite: bool) -> Tensor:
        """``y = f(z)`` of the function above; what a bounded one hides of an overflow is checked before."""
        if self.function is None:
            return z
        if self.function.is_relu:
            return z.relu_() if overwrite else z.relu()
        checks.append(z.sum().isfinite())
        return self.function(z)


class Step(ABC):
    """One layer of a prepared pass."""

    takes_coefficients: bool = False  # whether coefficients may arrive
    hands_coefficients: bool = False  # whether it hands coefficients down
    owns_result: bool = False  # whether nobody else holds what it hands down
    merged: bool = False  # whether it took the layer above in

    @abstractmethod
    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        """The output, and what :meth:`down` needs; appends truth values (0-d) that must hold for the pass to count."""

    @abstractmethod
    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        """Relevance of each input (or coefficients) from that of the output. Leaves ``saved`` as it is."""


@dataclass(frozen=True, eq=False)
class Plain(Step):
    """A propagation as it is."""

    propagation: Propagation
    layer: Layer

    def up(self, checks: list[Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
        return self.propagation.forward(self.layer, inputs)

    def down(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        return self.propagation.backward(self.layer, saved, relevance).relevance


@singledispatch
def prepare(model: Propagation, layer: Layer, setting: Setting) -> Step:
    """The same relevance without the balance; a propagation for which nothing faster is registered is run as it is."""
    return Plain(model, layer)
