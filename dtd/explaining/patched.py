"""Runs of a network in which a part of a hidden layer is replaced, and derivatives by hidden layers."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.explaining.hidden import start_of
from dtd.explaining.request import Asked, as_function
from dtd.explaining.target import Target, initial_relevance
from dtd.network.above import live, output_from
from dtd.network.graph import Graph, Values
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.propagation import Layer, per_sample


class Run(NamedTuple):
    """The layers that compute what is explained, at the inputs of one call, and what is explained of their output."""

    graph: Graph
    values: dict[int, Tensor]
    target: Target

    @classmethod
    def of(cls, network: Network, inputs: Inputs, target: Asked) -> "Run":
        """Raises :class:`InputError` for inputs that do not fit, and for a target that is no function of an output."""
        reading, start = network.read(inputs), start_of([target])
        part = None if start is None else start.restructured(reading.graph)
        graph, values = reading if part is None else part.read(reading)
        asked = as_function(target, graph, part, network, start)
        if isinstance(asked, Tensor) and asked.is_floating_point():
            raise InputError(
                "Patching needs a target that says what is explained of any output: a class, a class for each sample, a "
                "function of the output, a hidden unit or a contrast; found initial relevance as numbers."
            )
        return cls(graph, values, asked)

    @property
    def batch(self) -> int:
        """B, the number of samples."""
        return len(next(iter(self.values.values())))

    def explained(self, output: Tensor) -> Tensor:
        """What is explained, summed over outputs. # shape: (B, *out) -> (B,)"""
        return per_sample(initial_relevance(output, self.target))

    def above(self, place: int, values: Values) -> Tensor:
        """What is explained, from the output of a layer and what else the layers above it read. # shape: (B,)"""
        return self.explained(output_from(self.graph, place + 1, values))


def held_above(run: Run, place: int) -> dict[int, Tensor]:
    """The output of a layer, and what the layers above it read besides."""
    needed = live(run.graph, place + 1) | {place}
    held = {j: value for j, value in run.values.items() if j in needed}
    for i, _, _, y in run.graph.ascend(run.values):
        if i in needed:
            held[i] = y
        if i == place:
            break
    return held


def per_patch(terms: Tensor, axis: int | None) -> Tensor:
    """Sums of terms for each patch. # shape: (B, *out) -> (B, patches), or (B,)"""
    if axis is None:
        return per_sample(terms)
    moved = terms.movedim(1 + axis, 1)
    return moved.flatten(2).sum(2) if moved.ndim > 2 else moved


def patched(values: Tensor, moved: Tensor, axis: int | None, numbers: Tensor) -> Tensor:
    """Values with one index of an axis, another for each row, taken from ``moved``. # shape: (P, *out), numbers (P,)"""
    if axis is None:
        return moved
    found = values.movedim(1 + axis, 1).clone()
    rows = torch.arange(len(numbers), device=numbers.device)
    found[rows, numbers] = moved.movedim(1 + axis, 1)[rows, numbers]
    return found.movedim(1, 1 + axis)


def slopes(run: Run, names: Collection[str]) -> Mapping[str, Tensor]:
    """``∂f/∂a`` of what is explained by the outputs ``a`` of some layers; inside of a context with gradients.

    # shape: (B, *out) each
    """
    found: dict[str, Tensor] = {}

    def forward(_: int, layer: Layer, inputs: tuple[Tensor, ...], __: Values) -> Tensor:
        y = layer(*inputs)
        if layer.name in names:
            found[layer.name] = y = y if y.requires_grad else y.requires_grad_()
        return y

    output = run.graph.output_of(run.values, run.graph.ascend(run.values, forward=forward))
    value = run.explained(output).sum()
    every = torch.autograd.grad(value, list(found.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(found, every, strict=True))
