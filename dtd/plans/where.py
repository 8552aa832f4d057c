"""Selectors: which layers of a network an entry of a plan speaks for."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from dtd.callers.printing import shown
from dtd.domain import Domain
from dtd.errors import PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.selection import Weighted, Where, crossed, position, require
from dtd.propagation import Layer


@dataclass(frozen=True)
class depth(Weighted):  # noqa: N801 - reads as a function in plans
    """Layers with weights number ``start`` to ``stop − 1`` from the input; negative numbers count from the output."""

    start: int = 0
    stop: int | None = None

    def __post_init__(self):
        whole = all(isinstance(bound, int) and not isinstance(bound, bool) for bound in (self.start, self.stop or 0))
        require(whole, "depth(start, stop)", "two whole numbers (stop may be left out)", (self.start, self.stop))

    def __repr__(self) -> str:
        if self == depth():
            return "every"
        if self.stop == (self.start + 1 if self.start != -1 else None):
            return "last" if self.start == -1 else f"index({self.start})"
        return f"depth({self.start})" if self.stop is None else f"depth({self.start}, {self.stop})"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return position(layer, network) in range(*slice(self.start, self.stop).indices(len(network.weighted)))


@dataclass(frozen=True)
class fraction(Weighted):  # noqa: N801
    """Layers with weights whose relative depth (position / number of them) is in ``[start, stop)``."""

    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self):
        numbers = all(isinstance(bound, (int, float)) for bound in (self.start, self.stop))
        require(numbers, "fraction(start, stop)", "two numbers from 0 to 1", (self.start, self.stop))

    def __repr__(self) -> str:
        return f"fraction({self.start:.4g}, {self.stop:.4g})"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return self.start <= position(layer, network) / max(len(network.weighted), 1) < self.stop


@dataclass(frozen=True)
class name(Weighted):  # noqa: N801
    """Layers with weights whose name or module path matches a glob (``"features.*"``)."""

    glob: str

    def __post_init__(self):
        require(isinstance(self.glob, str), "name(glob)", "a glob over layer names, a text", self.glob)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return fnmatchcase(layer.name, self.glob) or fnmatchcase(layer.path, self.glob)


@dataclass(frozen=True)
class exactly(Weighted):  # noqa: N801
    """The one layer of that name, if it has weights: ``"shared"`` without the second use ``"shared@2"`` of its module."""

    layer: str

    def __post_init__(self):
        require(isinstance(self.layer, str), "exactly(layer)", "the name of a layer, a text", self.layer)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.name == self.layer


@dataclass(frozen=True, init=False)
class kind(Where):  # noqa: N801
    """Layers of the given kinds, with weights or not: ``kind("convolution")``, ``kind("sum", "average_pool")``."""

    kinds: tuple[str, ...]

    def __init__(self, *kinds: str):
        named = bool(kinds) and all(isinstance(each, str) for each in kinds)
        require(named, "kind(...)", "one or more kinds of layers, texts ('convolution', 'max_pool')", kinds)
        object.__setattr__(self, "kinds", kinds)

    def __repr__(self) -> str:
        return f"kind({', '.join(map(repr, self.kinds))})"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.kind in self.kinds

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


@dataclass(frozen=True)
class path(Where):  # noqa: N801
    """Layers, with weights or not, of modules whose path matches a glob (``"*.constants"``)."""

    glob: str

    def __post_init__(self):
        require(isinstance(self.glob, str), "path(glob)", "a glob over module paths, a text", self.glob)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return fnmatchcase(layer.path, self.glob)

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


@dataclass(frozen=True)
class domain(Weighted):  # noqa: N801
    """Layers with weights whose input's inferred domain is of a type (:class:`Box`, :class:`NonNegative`, :class:`Real`)."""

    type: type[Domain]

    def __post_init__(self):
        valid = isinstance(self.type, type) and issubclass(self.type, Domain)
        require(valid, "domain(type)", "a class of domains (Box, NonNegative, Real)", self.type)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return isinstance(layer.domain, self.type)


@dataclass(frozen=True)
class PositionWise(Where):
    """Dense layers that are applied at every position (word, patch) of a sample, as a convolution of length 1 is."""

    def __repr__(self) -> str:
        return "position_wise"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.kind == "dense" and len(layer.shape) > 1

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


@dataclass(frozen=True)
class GoesThroughReLU(Weighted):
    """Layers with weights whose output goes through a ReLU and nowhere else; other kinds: ``kind("sum") & rectified``."""

    def __repr__(self) -> str:
        return "rectified"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.rectified


def index(position: int) -> depth:
    """The layer with weights at a position from the input; negative positions count from the output."""
    return depth(position, position + 1 if position != -1 else None)


@dataclass(frozen=True)
class First(Weighted):
    """Layers with weights that receive nothing which another layer with weights has made.

    They read the network's inputs, themselves or through layers without weights. In a chain that is one layer; where
    several branches read an input it is the first of each. A layer that reads an input beside what others have made of it
    (``conv(x) + x``) is not among them. With a kind (``kind("max_pool") & first``): layers below which no path crosses more
    than one layer with weights.
    """

    def __repr__(self) -> str:
        return "first"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return crossed(layer, network) <= (0 if layer.weighted else 1)


every = depth()
first = First()
position_wise = PositionWise()
rectified = GoesThroughReLU()
last = index(-1)
convolutions = kind("convolution", "transposed_convolution")
dense = kind("dense")


def selector(where: "str | Where") -> Where:
    """A selector from itself or from a glob over names."""
    if isinstance(where, str):
        return name(where)
    if not isinstance(where, Where):
        raise PlanError(f"A plan's entry starts with a selector of dtd.where or a name glob; found {shown(where)}.")
    return where
