"""Sets of layers and their algebra: ``&``, ``|`` and ``~``, and how deep a layer lies."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from dtd.callers.printing import Printed, shown
from dtd.errors import PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.propagation import Layer


def require(holds: bool, what: str, required: str, found: object) -> None:
    """Raise :class:`PlanError` for a selector that is given something else than it takes."""
    if not holds:
        raise PlanError(f"{what} needs {required}; found {shown(found)}.")


class Where(Printed, ABC):
    """A set of layers. Combine selectors with ``&``, ``|`` and ``~``; they print as they are written.

    All selectors but :class:`kind` and :class:`path` speak for layers with weights only; sums, pooling and pointwise layers
    are selected by their kind or module, alone or with a condition that narrows it: ``kind("max_pool") & depth(7, 13)``.
    """

    @abstractmethod
    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        """The selector's condition, on layers with weights and without."""

    @abstractmethod
    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        """Whether the layer belongs to the set."""

    def __and__(self, other: "Where") -> "Where":
        return Both(self, other) if isinstance(other, Where) else NotImplemented

    def __or__(self, other: "Where") -> "Where":
        return Either(self, other) if isinstance(other, Where) else NotImplemented

    def __invert__(self) -> "Where":
        return Not(self)


@dataclass(frozen=True)
class Both(Where):
    """Layers in both sets; a set of layers with weights only narrows one of any layers."""

    left: Where
    right: Where

    def __repr__(self) -> str:
        return " & ".join(f"({side!r})" if isinstance(side, Either) else repr(side) for side in (self.left, self.right))

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return self.left.holds(layer, network) and self.right.holds(layer, network)

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        chosen = self.left.matches(layer, network) or self.right.matches(layer, network)
        return chosen and self.holds(layer, network)


@dataclass(frozen=True)
class Either(Where):
    """Layers in at least one of the sets."""

    left: Where
    right: Where

    def __repr__(self) -> str:
        return f"{self.left!r} | {self.right!r}"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return self.left.holds(layer, network) or self.right.holds(layer, network)

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.left.matches(layer, network) or self.right.matches(layer, network)


class Weighted(Where):
    """A set of layers with weights."""

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.weighted and self.holds(layer, network)


@dataclass(frozen=True)
class Not(Weighted):
    """Layers with weights that are not in the set."""

    inner: Where

    def __repr__(self) -> str:
        return f"~({self.inner!r})" if isinstance(self.inner, (Both, Either)) else f"~{self.inner!r}"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return not self.inner.holds(layer, network)


def position(layer: Layer, network: Network | Graph) -> int:
    """Number of a layer with weights, from 0 at the input; that of the last one before it for a layer without."""
    here = network.layers.index(layer)
    below = sum(each.weighted for each in network.layers[: here + 1])
    return max(below - 1, 0)


def crossed(layer: Layer, network: Network | Graph) -> int:
    """The largest number of layers with weights on one path from an input of the network to what a layer receives."""
    most: dict[int, int] = {}
    for i, each in enumerate(network.layers):
        most[i] = max((most[j] + network.layers[j].weighted for j in each.inputs if j >= 0), default=0)
        if each is layer:
            return most[i]
    raise ValueError(f"layer '{layer.name}' is not of this network")
