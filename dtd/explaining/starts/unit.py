"""Hidden units, channels and directions as what is explained."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.callers.numbers import as_python
from dtd.callers.printing import Printed, shown
from dtd.errors import InputError
from dtd.network.axes import channel_axis
from dtd.network.below import Below, below
from dtd.network.graph import Graph

Index = int | Sequence[int]


@dataclass(frozen=True, eq=False)
class Unit(Printed):
    """A hidden unit, channel, position or direction as the output: ``R = a ⊙ v`` at the layer's output ``a``.

    ``v`` is 1 at the chosen entries and 0 elsewhere, or the given direction along the channel axis; ``Σ R = ⟨a, v⟩`` is
    explained. Only the layers that the named one depends on are run, and it is treated as an output layer (no ReLU follows).

    Args:
        layer: the name of a layer.
        channel: a channel, or several.
        position: a place on the other axes, an integer or one for each axis; all places where it is left out.
        index: one entry of a sample of the layer's output, an integer or one for each axis. Instead of the two above.
        direction: a vector over the channels ``(C,)``, or over a whole sample of the output. Instead of ``channel``.
        axis: the channel axis of a sample; left out, the layer's own (a convolution's first, a dense layer's last).

    >>> import dtd
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
    >>> net = dtd.trace(model, torch.ones(1, 2), domain=dtd.NonNegative())
    >>> dtd.explain(net, torch.tensor([[3.0, 1.0]]), dtd.Unit("0", channel=0), dtd.Plan.uniform("lrp0")).relevance
    tensor([[3., 2.]])

    Raises :class:`InputError` for a layer or a unit that does not exist.
    """

    layer: str
    channel: Index | None = None
    position: Index | None = None
    index: Index | None = None
    direction: Tensor | None = None
    axis: int | None = None

    def __post_init__(self):
        for name in ("channel", "position", "index"):
            object.__setattr__(self, name, as_python(getattr(self, name)))
        chosen = [self.channel is not None, self.direction is not None]
        if not isinstance(self.layer, str):
            raise InputError(f"A Unit starts with the name of a layer; found {self.layer!r}.")
        if self.index is not None and (any(chosen) or self.position is not None):
            raise InputError("A Unit has an 'index', or a 'channel' or 'direction' (with a 'position'); found both.")
        if self.index is None and self.position is None and not any(chosen):
            raise InputError("A Unit needs a 'channel', a 'position', an 'index' or a 'direction'; found none.")
        if all(chosen):
            raise InputError("A Unit has a 'channel' or a 'direction'; found both.")
        if self.direction is not None and not (isinstance(self.direction, Tensor) and self.direction.is_floating_point()):
            raise InputError("The direction of a Unit must be a floating-point tensor.")

    def restructured(self, graph: Graph) -> Below:
        """The part of the network that computes the layer."""
        return below(graph, layer_index(graph, self.layer))

    def at(self, graph: Graph, i: int) -> "Along":
        """What is explained of the output of layer i, as a function of it."""
        shape = graph.layers[i].shape
        if self.index is not None:
            weights = graph.like.new_zeros(shape)
            weights[self._place(self.index, shape, "index")] = 1
            return Along(weights)
        axis = self._axis(graph, i)
        others = shape[:axis] + shape[axis + 1 :]
        weights = graph.like.new_zeros((*others, shape[axis]))
        where = ... if self.position is None else self._place(self.position, others, "position")
        weights[where] = self._channels(graph, shape, axis)
        weights = weights.movedim(-1, axis)
        whole = self.direction is not None and self.direction.ndim != 1
        return Along(weights * self.direction.to(weights) if whole and self.direction is not None else weights)

    def _axis(self, graph: Graph, i: int) -> int:
        axes = len(graph.layers[i].shape)
        if not axes:
            raise InputError(f"Layer '{self.layer}' has one number for each sample: explain Unit('{self.layer}', index=()).")
        axis = channel_axis(graph, i) if self.axis is None else self.axis
        if not -axes <= axis < axes:
            raise InputError(f"'axis' must be one of the {axes} axes of layer '{self.layer}'; found {self.axis}.")
        return axis % axes

    def _channels(self, graph: Graph, shape: tuple[int, ...], axis: int) -> Tensor:
        """What each channel counts. # shape: (C,)"""
        size = shape[axis]
        if self.direction is not None:
            if tuple(self.direction.shape) not in ((size,), shape):
                raise InputError(
                    f"The direction must have shape ({size},), the channels of layer '{self.layer}', or {shape}; found "
                    f"{tuple(self.direction.shape)}."
                )
            return self.direction.to(graph.like) if self.direction.ndim == 1 else graph.like.new_ones(size)
        if self.channel is None:
            return graph.like.new_ones(size)
        return one_hot(self.channel, size, f"channel of layer '{self.layer}'", graph.like)

    def _place(self, given: Index, shape: tuple[int, ...], called: str) -> tuple[int, ...]:
        place = tuple(given) if isinstance(given, Iterable) else (given,)
        whole = all(isinstance(each, int) and not isinstance(each, bool) for each in place)
        inside = whole and len(place) == len(shape) and all(-n <= p < n for p, n in zip(place, shape, strict=True))
        if not inside:
            raise InputError(f"'{called}' must lie in {shape} (of layer '{self.layer}'); found {place}.")
        return place


@dataclass(frozen=True, eq=False)
class Along:
    """``R = a ⊙ v``: what is explained of activations along a direction. # shape: weights (*out)"""

    weights: Tensor

    def __call__(self, output: Tensor) -> Tensor:
        return output * self.weights


def one_hot(chosen: Index, size: int, called: str, like: Tensor) -> Tensor:
    """1 at the chosen of ``size`` entries. # shape: (size,)"""
    several = list(chosen) if isinstance(chosen, Iterable) else [chosen]
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in several)
    if not several or not whole or not all(-size <= each < size for each in several):
        raise InputError(f"A {called} is a number from 0 to {size - 1}, or several of them; found {chosen}.")
    weights = like.new_zeros(size)
    weights[torch.tensor(several)] = 1
    return weights


def layer_index(graph: Graph, name: str) -> int:
    """The index of the layer of a name; raises :class:`InputError` with the layers that there are."""
    names = [layer.name for layer in graph.layers]
    if name in names:
        return names.index(name)
    for layer in graph.layers:
        if name in layer.folded:
            raise InputError(
                f"'{name}' was folded into layer '{layer.name}', whose output is that of '{name}': name that one."
            )
    if graph.part_of is not None and any(layer.name == name for layer in graph.part_of.layers):
        raise InputError(f"Layer '{name}' is not below the unit that is explained. {listed_layers(graph)}")
    inside = [each for each in names if isinstance(name, str) and each.startswith(f"{name}.")]
    if inside:
        raise InputError(f"'{name}' is no layer; those inside it are {', '.join(inside)}, the last of them is {inside[-1]}.")
    raise InputError(f"The network has no layer {shown(name)}. {listed_layers(graph)}")


def listed_layers(graph: Graph) -> str:
    """All layers, in words."""
    return f"The layers are {', '.join(layer.name for layer in graph.layers)}."
