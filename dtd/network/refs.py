"""Activations, as the lowering of a graph speaks of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dtd.domain import Domain
from dtd.network.sizes import Shape, is_stripped, stored


@dataclass(frozen=True)
class Ref:
    """An activation: the output of layer ``index``; −1 − k is explained input k.

    The export sees one sample, and the value in shape ``full``; layers hold ``(B, *shape)``. ``shown`` says which entries
    an additive mask lets a softmax see, where one was added: the value itself then lacks the mask. ``held``: it is constant
    around a data point, as it is selected, rounded or detached, and hands no relevance down.
    """

    index: int
    full: Shape
    domain: Domain
    shown: Any = None
    held: bool = False

    @property
    def shape(self) -> Shape:
        """Shape of one sample."""
        return stored(self.full)

    def axis(self, axis: int) -> int:
        """Axis of one sample for an axis of the exported shape; −1 for the axis of size 1 that a sample does not have."""
        return axis % len(self.full) - is_stripped(self.full)


def flatten(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from flatten(v)
    elif isinstance(value, dict):
        yield from flatten(list(value.values()))
    else:
        yield value
