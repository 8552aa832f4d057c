"""Selectors: which layers of a network an entry of a plan speaks for."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from dtd.callers.printing import shown
from dtd.domain import Domain
from dtd.errors import PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.positions import First, depth, fraction, index
from dtd.plans.selection import Weighted, Where, require
from dtd.propagation import Layer


@dataclass(frozen=True)
class name(Weighted):  # noqa: N801
    """Layers with weights whose name or module path matches a glob (``"features.*"``).

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.name("[0-1]").matches(layer, net)]
    ['0']
    """

    glob: str

    def __post_init__(self):
        require(isinstance(self.glob, str), "name(glob)", "a glob over layer names, a text", self.glob)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return fnmatchcase(layer.name, self.glob) or fnmatchcase(layer.path, self.glob)


@dataclass(frozen=True)
class exactly(Weighted):  # noqa: N801
    """The one layer of that name, if it has weights: ``"shared"`` without the second use ``"shared@2"`` of its module.

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.exactly("2").matches(layer, net)]
    ['2']
    """

    layer: str

    def __post_init__(self):
        require(isinstance(self.layer, str), "exactly(layer)", "the name of a layer, a text", self.layer)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.name == self.layer


@dataclass(frozen=True, init=False)
class kind(Where):  # noqa: N801
    """Layers of the given kinds, with weights or not: ``kind("convolution")``, ``kind("sum", "average_pool")``.

    The ReLU between the dense layers is layer ``1``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.kind("relu").matches(layer, net)]
    ['1']
    """

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
    """Layers, with weights or not, of modules whose path matches a glob (``"*.constants"``).

    The ReLU between the dense layers is the module ``1``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.path("1").matches(layer, net)]
    ['1']
    """

    glob: str

    def __post_init__(self):
        require(isinstance(self.glob, str), "path(glob)", "a glob over module paths, a text", self.glob)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return fnmatchcase(layer.path, self.glob)

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


@dataclass(frozen=True)
class domain(Weighted):  # noqa: N801
    """Layers with weights whose input's inferred domain is of a type (:class:`Box`, :class:`NonNegative`, :class:`Real`).

    Layer ``2`` reads what a ReLU returns:

    >>> import dtd, torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.domain(dtd.NonNegative).matches(layer, net)]
    ['2']
    """

    type: type[Domain]

    def __post_init__(self):
        valid = isinstance(self.type, type) and issubclass(self.type, Domain)
        require(valid, "domain(type)", "a class of domains (Box, NonNegative, Real)", self.type)

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return isinstance(layer.domain, self.type)


@dataclass(frozen=True)
class PositionWise(Where):
    """Dense layers that are applied at every position (word, patch) of a sample, as a convolution of length 1 is.

    A dense layer on three positions of two entries is one:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Linear(2, 2), torch.ones(1, 3, 2))
    >>> [layer.shape for layer in net.layers if where.position_wise.matches(layer, net)]
    [(3, 2)]
    """

    def __repr__(self) -> str:
        return "position_wise"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.kind == "dense" and len(layer.shape) > 1

    def matches(self, layer: Layer, network: Network | Graph) -> bool:
        return self.holds(layer, network)


@dataclass(frozen=True)
class GoesThroughReLU(Weighted):
    """Layers with weights whose output goes through a ReLU and nowhere else; other kinds: ``kind("sum") & rectified``.

    Of the layers with weights of this network, ``0`` and ``2``, a ReLU follows the first:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.rectified.matches(layer, net)]
    ['0']
    """

    def __repr__(self) -> str:
        return "rectified"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return layer.rectified


__all__ = [
    "First",
    "GoesThroughReLU",
    "PositionWise",
    "Where",
    "convolutions",
    "dense",
    "depth",
    "domain",
    "every",
    "exactly",
    "first",
    "fraction",
    "index",
    "kind",
    "last",
    "name",
    "path",
    "position_wise",
    "rectified",
    "selector",
]

every = depth()
first = First()
position_wise = PositionWise()
rectified = GoesThroughReLU()
last = index(-1)
convolutions = kind("convolution", "transposed_convolution")
dense = kind("dense")


def selector(where: "str | Where") -> Where:
    """A selector from itself or from a glob over names.

    A text becomes a glob:

    >>> from dtd import where
    >>> where.selector("features.*")
    name('features.*')
    """
    if isinstance(where, str):
        return name(where)
    if not isinstance(where, Where):
        raise PlanError(f"A plan's entry starts with a selector of dtd.where or a name glob; found {shown(where)}.")
    return where
