"""Relevance of one layer's channels over a data set, batch by batch."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.errors import InputError, check_parameter
from dtd.explaining.explain import explain
from dtd.explaining.starts.unit import layer_index
from dtd.explaining.target import Target, target_at
from dtd.network.activations import activations
from dtd.network.axes import channel_axis
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan


class Data(NamedTuple):
    """What is explained over a data set: inputs as the network takes them, of N samples, and their target."""

    network: Network
    inputs: Inputs
    target: Target
    plan: Plan | None
    batch: int

    def parts(self) -> Iterator[tuple[Inputs, Target]]:
        """Some samples at a time, with their target."""
        whole = isinstance(self.batch, int) and not isinstance(self.batch, bool)
        check_parameter(whole and self.batch > 0, "batch", "a positive integer (samples)", self.batch)
        samples = self.network.read(self.inputs).batch
        if not samples:
            raise InputError("The data set is empty: give at least one sample.")
        for start in range(0, samples, self.batch):
            rows = slice(start, start + self.batch)
            target = self.target
            if isinstance(target, Tensor) and target.ndim and len(target) != samples:
                raise InputError(f"'target' must have one entry for each of the {samples} samples; found {len(target)}.")
            yield self.network.take(self.inputs, rows), target_at(target, rows)

    def relevance(self, layer: str) -> Iterator[Tensor]:
        """Relevance of a layer's output, channels last, places flattened. # shape: (B, places, C)"""
        axis = channel_axis(self.network.graph, layer_index(self.network.graph, layer))
        for inputs, target in self.parts():
            yield places(explain(self.network, inputs, target, self.plan, at=[layer]).at[layer].output, axis)

    def vectors(self, layer: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Activations ``a`` of a layer's output and ``c`` with ``R = a ⊙ c`` (0 where ``a = 0``). # shape: (B, places, C)"""
        axis = channel_axis(self.network.graph, layer_index(self.network.graph, layer))
        for inputs, target in self.parts():
            relevance = places(explain(self.network, inputs, target, self.plan, at=[layer]).at[layer].output, axis)
            a = places(next(y for each, _, y in activations(self.network, inputs) if each.name == layer), axis)
            yield a, torch.where(a != 0, relevance / torch.where(a != 0, a, 1), 0)


def places(values: Tensor, axis: int) -> Tensor:
    """Channels last, everything between them and the samples flattened. # shape: (B, *out) -> (B, places, C)"""
    if values.ndim == 1:
        return values[:, None, None]
    return values.movedim(axis + 1, -1).flatten(1, -2) if values.ndim > 2 else values[:, None]
