"""Functions of an activation or of a weight, from which the factor pairs of directions are made."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.algebra import identity, negative, positive, step
from dtd.callers.printing import Printed
from dtd.domain import Domain

Function = Callable[[Any], Any]
Slopes = tuple[float, float]


class WeightFunction(Printed, ABC):
    """A function ``d(w)`` of a weight, which declares the form of ``ρ(w) = w d(w)``.

    ``slopes`` are the numbers ``(p, q)`` where ``w d(w) = p w⁺ + q w⁻``, so that the modification acts on any part of a
    weight alone; None where it has another form. A subclass that defines ``__call__`` declares its own ``slopes``; without
    a declaration they are None.
    """

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if "__call__" in cls.__dict__ and "slopes" not in cls.__dict__:
            cls.slopes = None  # type: ignore[assignment]  # the parent's are those of another function

    @property
    def slopes(self) -> Slopes | None:
        """The numbers of the declaration; None without one."""
        return None

    @abstractmethod
    def __call__(self, w: Any) -> Any:
        """``d(w)``."""


@dataclass(frozen=True)
class Boost(WeightFunction):
    """``1 + γ 1[w > 0]`` (side +1) or ``1 + γ 1[w < 0]`` (side −1)."""

    gamma: float
    side: int = 1

    def __call__(self, w: Any) -> Any:
        return 1 + self.gamma * step(w * self.side)

    @property
    def slopes(self) -> Slopes | None:
        """``(1 + γ, 1)``, or ``(1, 1 + γ)`` on the other side."""
        boosted = float(1 + self.gamma)
        return (boosted, 1.0) if self.side > 0 else (1.0, boosted)


@dataclass(frozen=True)
class Only(WeightFunction):
    """``1[w > 0]`` (side +1) or ``1[w < 0]`` (side −1)."""

    side: int

    def __call__(self, w: Any) -> Any:
        return step(w * self.side)

    @property
    def slopes(self) -> Slopes | None:
        """``(1, 0)``, or ``(0, 1)`` on the other side."""
        return (1.0, 0.0) if self.side > 0 else (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Given(Printed):
    """A constant in place of a function of the activation or of the weight."""

    value: Any

    def __call__(self, a):
        return self.value.to(a) if isinstance(self.value, Tensor) and isinstance(a, Tensor) else self.value


def signed_parts(domain: Domain) -> list[tuple[Function, int]]:
    """The positive and negative part of the activations with their signs, without parts that vanish on the domain."""
    if domain.nonnegative:
        return [(identity, 1)]
    if domain.nonpositive:
        return [(identity, -1)]
    return [(positive, 1), (negative, -1)]


def is_zero(function: Function) -> bool:
    """Whether a factor is the number 0, and so not worth a pass."""
    return isinstance(function, Given) and isinstance(function.value, (int, float)) and function.value == 0
