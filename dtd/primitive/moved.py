"""Primitives whose relevance follows entries back to where they came from."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.propagation import Layer, Propagation, Step


class Mover(Propagation):
    """Every output entry is an input entry, or a constant: what relevance does, its coefficients do too."""

    @abstractmethod
    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        """The output, and what :meth:`follow` needs."""

    @abstractmethod
    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        """What arrives at the outputs, collected at the inputs. # shape: (B, *out) -> (B, *in) each"""

    def accepts(self, layer):
        return layer.primitive is self

    def forward(self, layer: Layer, inputs):
        return self.move(inputs)

    def prepare(self, layer, setting):
        return Moved(self, setting.scaled)


@dataclass(frozen=True, eq=False)
class Moved(Step):
    """A primitive that moves entries, whatever they are."""

    mover: Mover
    hands_scaled: bool
    takes_scaled = True

    def up(self, checks, *inputs):
        return self.mover.move(inputs)

    def down(self, saved, relevance):
        return self.mover.follow(saved, relevance)
