"""What a search saves in a prepared forward sweep, and how the relevance pass gets ``s = R / D`` from it.

Where coefficients arrive (``R = y ⊙ c``) one tensor is enough, ``q = y / D``, and none where ``q`` is 0 or 1 as ``y`` says.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

aten = torch.ops.aten


def masked(values: Tensor, mask: Tensor) -> Tensor:
    """``values`` (overwritten) where ``mask`` is not 0, and 0 elsewhere."""
    return aten.hardshrink_backward.grad_input(values, mask, 0, grad_input=values)


class Share(ABC):
    """The quotient by ``D`` of one search; 0 where ``D = 0``."""

    needs_z: bool = False  # whether z must outlive y = f(z)

    @abstractmethod
    def keep(self, y: Tensor, denominator: Tensor) -> Tensor | None:
        """What is saved. # shape: (B, *out)"""

    @abstractmethod
    def share(self, kept: Tensor | None, relevance: Tensor, overwrite: bool) -> Tensor:
        """``s`` from the relevance, or from its coefficient, which may be overwritten. # shape: (B, *out)"""


@dataclass(frozen=True)
class Quotient(Share):
    """``s = weight · R / D`` of relevance as it is."""

    weight: float
    needs_z = True

    def keep(self, y, denominator):
        return denominator

    def share(self, kept, relevance, overwrite):
        s = masked(relevance / kept, kept)
        return s if self.weight == 1 else s.mul_(self.weight)


@dataclass(frozen=True)
class Ratio(Share):
    """``s = q ⊙ c`` with ``q = weight · y / D``."""

    weight: float

    def keep(self, y, denominator):
        q = masked(y / denominator, denominator)
        return q if self.weight == 1 else q.mul_(self.weight)

    def share(self, kept, relevance, overwrite):
        return relevance.mul_(kept) if overwrite else relevance * kept


@dataclass(frozen=True)
class Damped(Share):
    """``s = y / (y + ε) ⊙ c`` for a ReLU unit with ``D = z + ε sign z``, ε > 0."""

    epsilon: float

    def keep(self, y, denominator):
        q = y + self.epsilon
        return torch.div(y, q, out=q)

    def share(self, kept, relevance, overwrite):
        return relevance.mul_(kept) if overwrite else relevance * kept


@dataclass(frozen=True)
class Active(Share):
    """``s = 1[z > 0] c`` for a ReLU unit with ``D = z``: the gradient's mask."""

    def keep(self, y, denominator):
        return y

    def share(self, kept, relevance, overwrite):
        if overwrite:
            return aten.threshold_backward.grad_input(relevance, kept, 0, grad_input=relevance)
        return aten.threshold_backward(relevance, kept, 0)


@dataclass(frozen=True)
class Nonzero(Share):
    """``s = 1[z ≠ 0] c`` for a unit without a function above it and ``D = z``."""

    def keep(self, y, denominator):
        return y

    def share(self, kept, relevance, overwrite):
        return masked(relevance if overwrite else relevance.clone(), kept)


@dataclass(frozen=True)
class Free(Share):
    """``s = c`` for a unit with ``D = z`` that vanishes only where all of its contributions do."""

    def keep(self, y, denominator):
        return None

    def share(self, kept, relevance, overwrite):
        return relevance
