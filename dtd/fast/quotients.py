"""What a search saves in a prepared forward sweep, and how the relevance pass gets ``s = R / D`` from it.

Where coefficients arrive (``R = y ⊙ c``) one tensor is enough, ``q = y / D``, and none where ``q`` is 0 or 1 as ``y`` says.
Numbers are tensors without axes, which torch adds and multiplies faster than Python's; a weight of None is 1.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

threshold = torch.ops.aten.threshold_backward
hardshrink = torch.ops.aten.hardshrink_backward.grad_input


def masked(values: Tensor, mask: Tensor) -> Tensor:
    """``values`` (overwritten) where ``mask`` is not 0, and 0 elsewhere."""
    return hardshrink(values, mask, 0, grad_input=values)


class Quotient(ABC):
    """The quotient by ``D`` of one search; 0 where ``D = 0``."""

    needs_z: bool = False  # whether z must outlive y = f(z)

    @abstractmethod
    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        """What is saved. # shape: (B, *out)"""

    @abstractmethod
    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        """``s`` from the relevance, or from its coefficient, which may be overwritten. # shape: (B, *out)"""


@dataclass(frozen=True)
class Divided(Quotient):
    """``s = weight · R / D`` of relevance as it is."""

    weight: Tensor | None
    needs_z = True

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        return denominator

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        s = masked(relevance / kept, kept)
        return s if self.weight is None else s.mul_(self.weight)


@dataclass(frozen=True)
class Stabilised(Quotient):
    """``s = weight · R / (z + ε sign z)`` of relevance as it is, ε > 0: a denominator that does not vanish."""

    weight: Tensor | None
    epsilon: Tensor
    needs_z = True

    @cached_property
    def zero(self) -> Tensor:
        """0, as a tensor."""
        return torch.zeros_like(self.epsilon)

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        return torch.copysign(self.epsilon, denominator + self.zero).add_(denominator)  # −0 + 0 = +0

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        s = relevance / kept
        return s if self.weight is None else s.mul_(self.weight)


@dataclass(frozen=True)
class Ratio(Quotient):
    """``s = q ⊙ c`` with ``q = weight · y / D``."""

    weight: Tensor | None

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        q = masked(y / denominator, denominator)
        return q if self.weight is None else q.mul_(self.weight)

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        return relevance.mul_(kept) if overwrite else relevance * kept


@dataclass(frozen=True)
class Damped(Quotient):
    """``s = |y| / (|y| + ε) ⊙ c`` for a unit with ``D = z + ε sign z``, ε > 0, below a ReLU or no function."""

    epsilon: Tensor
    signed: bool  # whether y may be negative

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        size = y.abs() if self.signed else y
        q = size + self.epsilon
        return torch.div(size, q, out=q)

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        return relevance.mul_(kept) if overwrite else relevance * kept


@dataclass(frozen=True)
class Active(Quotient):
    """``s = 1[z > 0] c`` for a ReLU unit with ``D = z``: the gradient's mask."""

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        return y

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        if overwrite:
            return threshold.grad_input(relevance, kept, 0, grad_input=relevance)
        return threshold(relevance, kept, 0)


@dataclass(frozen=True)
class Nonzero(Quotient):
    """``s = 1[z ≠ 0] c`` for a unit without a function above it and ``D = z``."""

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        return y

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        return masked(relevance if overwrite else relevance.clone(), kept)


@dataclass(frozen=True)
class Free(Quotient):
    """``s = c`` for a unit with ``D = z`` that vanishes only where all of its contributions do."""

    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        return None

    def quotient(self, kept: Any, relevance: Tensor, overwrite: bool) -> Tensor:
        return relevance
