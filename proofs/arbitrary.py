"""Directions and points that no rule names: what holds for them holds for every rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtd.direction import Direction, Factor, Given
from dtd.domain import Domain
from dtd.root import Bias, Search


@dataclass(frozen=True, eq=False)
class Along(Direction):
    """Any direction ``v_kj``, with ``v_k0`` for the bias neuron."""

    v: Any  # (1, J)
    v0: Any = 0

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(Given(self.v), Given(1)),)

    def bias(self, b: Any) -> Any:
        return self.v0 + 0 * b


@dataclass(frozen=True, eq=False)
class Anywhere(Search):
    """Any point ``ã = a − z v / D`` on the line: a root only where ``D = w·v``."""

    direction: Direction
    bias: Bias
    size: Any  # D

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        return self.size + 0 * z
