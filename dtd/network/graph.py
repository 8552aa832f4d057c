"""The layers of a network as they are at one moment."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dtd.domain import Domain, check_inside, exact
from dtd.errors import InputError, NonFiniteError
from dtd.network.sizes import Shape
from dtd.propagation import Layer


@dataclass(frozen=True, eq=False)
class Input:
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
    plans: dict[int, tuple[Any, tuple]] = field(default_factory=dict, repr=False)  # what plans were bound to
    programs: dict[tuple, tuple] = field(default_factory=dict, repr=False)  # what bound plans were prepared as
    below: "Graph | None" = field(default=None, repr=False)

    @property
    def base(self) -> "Graph":
        """The graph whose side values are those of one sample."""
        return self.below or self

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
            replace(layer, primitive=layer.refill(*(values[i] for i in layer.sides))) if layer.sides else layer
            for layer in self.layers
        )
        return Graph(layers, self.output, self.inputs, self.like, below=self.base)

    @cached_property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights, lowest first: those a plan must speak for."""
        return tuple(layer for layer in self.layers if layer.weighted)

    def check_input(self, x: Tensor, shape: tuple[int, ...]) -> None:
        """Raise for an input that does not fit the network; see :meth:`Input.check`."""
        self.inputs[0].check(x, self.like)
