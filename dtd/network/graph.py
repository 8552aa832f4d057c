"""The layers of a network as they are at one moment."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.domain import Domain, check_inside, exact
from dtd.errors import InputError, NonFiniteError
from dtd.network.memo import Memo
from dtd.network.sizes import Shape
from dtd.propagation import Layer

Values = Mapping[int, Tensor]  # by layer index; explained input k is value −1−k
Forward = Callable[[int, Layer, tuple[Tensor, ...], Values], Tensor]
Visit = tuple[int, Layer, tuple[Tensor, ...], Tensor]


@dataclass(frozen=True, eq=False)
class Input(Printed):
    """An explained input: what its relevance is found for. # shape: of one sample"""

    name: str
    shape: Shape
    domain: Domain

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The domain, where it is one interval for all entries."""
        low, high = map(exact, self.domain.bounds())
        return (low.item(), high.item()) if low.numel() == high.numel() == 1 else None

    def check(self, x: Tensor, like: Tensor, called: str = "The input") -> None:
        """Raise for values of another shape, dtype, device or domain than the network's, or that are not finite."""
        if not isinstance(x, Tensor) or x.ndim != len(self.shape) + 1 or tuple(x.shape[1:]) != self.shape:
            found = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise InputError(f"{called} must have shape (B, {', '.join(map(str, self.shape))}); found {found}.")
        if not x.is_floating_point():
            raise InputError(f"{called} must be {like.dtype}, as traced; found {x.dtype}. Call x.to({like.dtype}).")
        if x.dtype not in (torch.float32, torch.float64):
            raise InputError(
                f"Relevance needs float32 or float64; found an input in {x.dtype}. Call x.float() and model.float()."
            )
        if (x.dtype, x.device) != (like.dtype, like.device):
            raise InputError(
                f"{called} must be {like.dtype} on {like.device} like the model; found {x.dtype} on {x.device}."
            )
        if self.interval is not None and x.numel():
            low, high = (bound.item() for bound in x.aminmax())  # NaN where any entry is
            if self.interval[0] <= low and high <= self.interval[1] and math.isfinite(high - low):
                return
        if not bool(x.isfinite().all()):
            raise NonFiniteError(f"{called} must be finite; found NaN or infinity.")
        whose = "The network's input" if called == "The input" else called
        check_inside(self.domain, x, whose, "Trace with the domain that the data has.")


@dataclass(frozen=True, eq=False)
class Graph:
    """Layers over fixed parameters and sizes, each after its inputs; made anew when a parameter changes.

    Layers with side values hold those of one sample, unless :meth:`at` gave them others; ``base`` is then the graph that it
    was called on, to which plans and programs belong.
    """

    layers: tuple[Layer, ...]
    output: int  # index of the layer whose output is the network's
    inputs: tuple[Input, ...]  # explained ones; a layer reads input k as index −1 − k
    like: Tensor  # in the network's dtype, on its device
    plans: Memo = field(default_factory=lambda: Memo(16), repr=False)  # what plans were bound to
    footprints: Memo = field(default_factory=lambda: Memo(4), repr=False)  # what one sample of a program saves
    programs: Memo = field(default_factory=lambda: Memo(4), repr=False)  # what bound plans were prepared as
    warned: Memo = field(default_factory=lambda: Memo(16), repr=False)  # plans whose relevance was said to outgrow
    parts: Memo = field(default_factory=lambda: Memo(8), repr=False)  # below hidden layers
    of_one: "Graph | None" = field(default=None, repr=False)
    part_of: "Graph | None" = field(default=None, repr=False)  # the network's, where these are some of its layers

    @property
    def base(self) -> "Graph":
        """The graph whose side values are those of one sample."""
        return self.of_one or self

    @property
    def domain(self) -> Domain:
        """Of the first explained input."""
        return self.inputs[0].domain

    @cached_property
    def sides(self) -> tuple[int, ...]:
        """Numbers of the side values that layers hold."""
        return tuple(sorted({index for layer in self.layers for index in layer.sides}))

    def at(self, values: Mapping[int, Tensor]) -> "Graph":
        """The graph with other side values, by number. # shape: (B, *side), or (1, *side) where samples share them"""
        if not self.sides:
            return self
        layers = tuple(
            replace(layer, op=layer.refill(*(values[i] for i in layer.sides)))
            if layer.refill is not None and layer.sides
            else layer
            for layer in self.layers
        )
        return Graph(layers, self.output, self.inputs, self.like, plans=self.plans, of_one=self.base)

    def ascend(self, values: Values, first: int = 0, forward: Forward | None = None) -> Iterator[Visit]:
        """Layers ``first`` and above on what they read: index, layer, its inputs, its output, one layer after another.

        Each value is let go of after its last use. ``forward(i, layer, inputs, values)`` computes a layer's output in place
        of the layer itself; ``values`` are all that are held then. # shape: (B, *) each
        """
        held = dict(values)
        for i in range(first, len(self.layers)):
            layer = self.layers[i]
            inputs = tuple(held[j] for j in layer.inputs)
            held[i] = layer(*inputs) if forward is None else forward(i, layer, inputs, held)
            yield i, layer, inputs, held[i]
            for j in self.last_used[i]:
                held.pop(j, None)

    def output_of(self, values: Values, visits: Iterable[Visit]) -> Tensor:
        """The network's output, from the visits of :meth:`ascend` on ``values``."""
        outputs = {i: output for i, _, _, output in visits if i == self.output}
        return {**values, **outputs}[self.output]

    @cached_property
    def last_used(self) -> tuple[tuple[int, ...], ...]:
        """For each layer the values that no layer after it reads, but for the output."""
        last = {j: i for i, layer in enumerate(self.layers) for j in layer.inputs if j != self.output}
        return tuple(
            tuple(j for j in dict.fromkeys(layer.inputs) if last.get(j) == i) for i, layer in enumerate(self.layers)
        )

    @cached_property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights, lowest first: those a plan must speak for."""
        return tuple(layer for layer in self.layers if layer.weighted)


class Reading(NamedTuple):
    """Checked inputs as the layers read them, and the layers for these inputs."""

    graph: Graph
    values: dict[int, Tensor]  # explained input k is −1−k. shape: (B, *in) each

    @property
    def batch(self) -> int:
        """B, the number of samples."""
        return next(iter(self.values.values())).shape[0]
