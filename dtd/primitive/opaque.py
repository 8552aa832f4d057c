"""A module that the trace keeps in one piece: a function, and nothing known about it."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from dtd.propagation import Op


@dataclass(frozen=True, eq=False)
class Opaque(Op):
    """``y = f(a, …)``; it has no rule of its own, so a plan must say how relevance passes it."""

    function: Callable[..., Tensor]

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)
