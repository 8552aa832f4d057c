"""Selectors by the place of a layer with weights between input and output."""

from dataclasses import dataclass

from dtd.errors import PlanError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.plans.selection import Weighted, crossed, position, require
from dtd.propagation import Layer


@dataclass(frozen=True)
class depth(Weighted):  # noqa: N801 - reads as a function in plans
    """Layers with weights number ``start`` to ``stop − 1`` from the input; negative numbers count from the output.

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.depth(1).matches(layer, net)]
    ['2']
    """

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
    """Layers with weights whose relative depth (position / number of them) is in ``[start, stop)``.

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.fraction(0, 0.5).matches(layer, net)]
    ['0']
    """

    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self):
        numbers = all(isinstance(bound, (int, float)) for bound in (self.start, self.stop))
        require(numbers, "fraction(start, stop)", "two numbers from 0 to 1", (self.start, self.stop))

    def __repr__(self) -> str:
        return f"fraction({self.start:.4g}, {self.stop:.4g})"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return self.start <= position(layer, network) / max(len(network.weighted), 1) < self.stop


def index(position: int) -> depth:
    """The layer with weights at a position from the input; negative positions count from the output.

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.index(-1).matches(layer, net)]
    ['2']
    """
    return depth(position, position + 1 if position != -1 else None)


@dataclass(frozen=True)
class First(Weighted):
    """Layers with weights that receive nothing which another layer with weights has made.

    They read the network's inputs, themselves or through layers without weights: in a chain one layer, where several
    branches read an input the first of each, but no layer that reads an input beside what others have made of it
    (``conv(x) + x``). With a kind (``kind("max_pool") & first``): layers below which no path crosses two with weights.

    The layers with weights of this network are ``0`` and ``2``:

    >>> import torch; from dtd import trace, where
    >>> net = trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)), torch.ones(1, 2))
    >>> [layer.name for layer in net.layers if where.first.matches(layer, net)]
    ['0']
    """

    def __repr__(self) -> str:
        return "first"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        return crossed(layer, network) <= (0 if layer.weighted else 1)


@dataclass(frozen=True)
class OnInputs(First):
    """The first layers with weights, where they read the network's inputs as they are; raises :class:`PlanError` where not.

    A point of the inputs means nothing to a layer that reads something else, such as scaled columns.
    """

    def __repr__(self) -> str:
        return "first, on the inputs"

    def holds(self, layer: Layer, network: Network | Graph) -> bool:
        if not super().holds(layer, network):
            return False
        if any(j >= 0 for j in layer.inputs):
            raise PlanError(
                f"A reference among the inputs is for layers that read the inputs; '{layer.name}' reads what other layers "
                f"(a scaler) made of them. Give the reference as '{layer.name}' receives it: dtd.Plan([('{layer.name}', "
                "dtd.Generic(point, at='reference')), *plan.entries]), with the plan made without a reference."
            )
        return True
