"""Selectors: which layers of a network an entry of a plan speaks for."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dtd.domain import Domain
from dtd.errors import PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.propagation import Layer


class Where(ABC):
    """A set of layers. Combine selectors with ``&``, ``|`` and ``~``.

    All selectors but :class:`kind` speak for layers with weights only; sums, pooling and pointwise layers are selected by
    their kind, alone or with a condition that narrows it: ``kind("max_pool") & depth(7, 13)``.
    """

    @abstractmethod
    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        """The selector's condition, on layers with weights and without."""

    @abstractmethod
    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        """Whether the layer belongs to the set."""

    def __and__(self, other: "Where") -> "Where":
        return Both(self, other)

    def __or__(self, other: "Where") -> "Where":
        return Either(self, other)

    def __invert__(self) -> "Where":
        return Not(self)


@dataclass(frozen=True)
class Both(Where):
    """Layers in both sets; a set of layers with weights only narrows one of any layers."""

    left: Where
    right: Where

    def holds(self, layer, network):
        return self.left.holds(layer, network) and self.right.holds(layer, network)

    def matches(self, layer, network):
        chosen = self.left.matches(layer, network) or self.right.matches(layer, network)
        return chosen and self.holds(layer, network)


@dataclass(frozen=True)
class Either(Where):
    """Layers in at least one of the sets."""

    left: Where
    right: Where

    def holds(self, layer, network):
        return self.left.holds(layer, network) or self.right.holds(layer, network)

    def matches(self, layer, network):
        return self.left.matches(layer, network) or self.right.matches(layer, network)


class Weighted(Where):
    """A set of layers with weights."""

    def matches(self, layer, network):
        return layer.weighted and self.holds(layer, network)


@dataclass(frozen=True)
class Not(Weighted):
    """Layers with weights that are not in the set."""

    inner: Where

    def holds(self, layer, network):
        return not self.inner.holds(layer, network)


def position(layer: Layer, network: Network | Graph) -> int:
    """Number of a layer with weights, from 0 at the input; that of the last one before it for a layer without."""
    here = network.layers.index(layer)
    below = sum(each.weighted for each in network.layers[: here + 1])
    return max(below - 1, 0)


@dataclass(frozen=True)
class depth(Weighted):  # noqa: N801 - reads as a function in plans
    """Layers with weights number ``start`` to ``stop − 1`` from the input; negative numbers count from the output."""

    start: int = 0
    stop: int | None = None

    def holds(self, layer, network):
        return position(layer, network) in range(*slice(self.start, self.stop).indices(len(network.weighted)))


@dataclass(frozen=True)
class fraction(Weighted):  # noqa: N801
    """Layers with weights whose relative depth (position / number of them) is in ``[start, stop)``."""

    start: float = 0.0
    stop: float = 1.0

    def holds(self, layer, network):
        return self.start <= position(layer, network) / max(len(network.weighted), 1) < self.stop


@dataclass(frozen=True)
class name(Weighted):  # noqa: N801
    """Layers with weights whose name or module path matches a glob (``"features.*"``)."""

    glob: str

    def holds(self, layer, network):
        return fnmatchcase(layer.name, self.glob) or fnmatchcase(layer.path, self.glob)


@dataclass(frozen=True, init=False)
class kind(Where):  # noqa: N801
    """Layers of the given kinds, with weights or not: ``kind("convolution")``, ``kind("sum", "average_pool")``."""

    kinds: tuple[str, ...]

    def __init__(self, *kinds: str):
        object.__setattr__(self, "kinds", kinds)

    def holds(self, layer, network):
        return layer.kind in self.kinds

    def matches(self, layer, network):
        return self.holds(layer, network)


@dataclass(frozen=True)
class domain(Weighted):  # noqa: N801
    """Layers with weights whose input's inferred domain is of a type (:class:`Box`, :class:`NonNegative`, :class:`Real`)."""

    type: type[Domain]

    def holds(self, layer, network):
        return isinstance(layer.domain, self.type)


def index(position: int) -> depth:
    """The layer with weights at a position from the input; negative positions count from the output."""
    return depth(position, position + 1 if position != -1 else None)


every = depth()
first = index(0)
last = index(-1)
convolutions = kind("convolution", "transposed_convolution")
dense = kind("dense")


def selector(where: "str | Where") -> Where:
    """A selector from itself or from a glob over names."""
    if isinstance(where, str):
        return name(where)
    if not isinstance(where, Where):
        raise PlanError(f"A plan's entry starts with a selector of dtd.where or a name glob; found {where!r}.")
    return where
