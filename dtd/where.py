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
    their kind.
    """

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
    """Layers in both sets."""

    left: Where
    right: Where

    def matches(self, layer, network):
        return self.left.matches(layer, network) and self.right.matches(layer, network)


@dataclass(frozen=True)
class Either(Where):
    """Layers in at least one of the sets."""

    left: Where
    right: Where

    def matches(self, layer, network):
        return self.left.matches(layer, network) or self.right.matches(layer, network)


@dataclass(frozen=True)
class Not(Where):
    """Layers with weights that are not in the set."""

    inner: Where

    def matches(self, layer, network):
        return layer.weighted and not self.inner.matches(layer, network)


@dataclass(frozen=True)
class depth(Where):  # noqa: N801 - reads as a function in plans
    """Layers with weights number ``start`` to ``stop − 1`` from the input; negative numbers count from the output."""

    start: int = 0
    stop: int | None = None

    def matches(self, layer, network):
        weighted = network.weighted
        return layer.weighted and weighted.index(layer) in range(*slice(self.start, self.stop).indices(len(weighted)))


@dataclass(frozen=True)
class fraction(Where):  # noqa: N801
    """Layers with weights whose relative depth (position / number of them) is in ``[start, stop)``."""

    start: float = 0.0
    stop: float = 1.0

    def matches(self, layer, network):
        weighted = network.weighted
        return layer.weighted and self.start <= weighted.index(layer) / len(weighted) < self.stop


@dataclass(frozen=True)
class name(Where):  # noqa: N801
    """Layers with weights whose name or module path matches a glob (``"features.*"``)."""

    glob: str

    def matches(self, layer, network):
        return layer.weighted and (fnmatchcase(layer.name, self.glob) or fnmatchcase(layer.path, self.glob))


@dataclass(frozen=True, init=False)
class kind(Where):  # noqa: N801
    """Layers of the given kinds, with weights or not: ``kind("convolution")``, ``kind("sum", "average_pool")``."""

    kinds: tuple[str, ...]

    def __init__(self, *kinds: str):
        object.__setattr__(self, "kinds", kinds)

    def matches(self, layer, network):
        return layer.kind in self.kinds


@dataclass(frozen=True)
class domain(Where):  # noqa: N801
    """Layers with weights whose input's inferred domain is of a type (:class:`Box`, :class:`NonNegative`, :class:`Real`)."""

    type: type[Domain]

    def matches(self, layer, network):
        return layer.weighted and isinstance(layer.domain, self.type)


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
