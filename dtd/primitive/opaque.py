"""A module that the trace keeps in one piece: a function, and nothing known about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.propagation import Layer


@dataclass(frozen=True, eq=False)
class Opaque:
    """``y = f(a, …)``, sample by sample; a plan must say how relevance passes it. # shape: (B, *in) each -> (B, *out)"""

    function: Callable[..., Tensor]

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        """The output; nothing is saved."""
        return self.function(*inputs), None
