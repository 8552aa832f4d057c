"""Operations whose outputs are entries of their inputs, each at another place."""

from abc import abstractmethod
from typing import Any

from torch import Tensor

from dtd.propagation import Op


class Mover(Op):
    """Every output entry is an input entry, or a constant. Relevance, and its coefficients, follow entries back."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.move(inputs)[0]

    @abstractmethod
    def move(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        """The output, and what :meth:`follow` needs."""

    @abstractmethod
    def follow(self, saved: Any, relevance: Tensor) -> tuple[Tensor, ...]:
        """What arrives at the outputs, added up at the inputs. # shape: (B, *out) -> (B, *in) each"""

    @property
    def holds(self) -> bool:
        """Whether all outputs are constant around a data point, so that no input receives anything."""
        return False

    def constant(self, like: Tensor, saved: Any = None) -> Tensor | None:
        """1 where an output is a constant and no input, 0 elsewhere; None where no output is. # shape: (1 or B, *out)

        ``saved`` is what :meth:`move` gave, for constants whose places depend on the activations.
        """
        return None
