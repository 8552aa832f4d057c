"""The forward sweep by itself."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.network.network import Network
from dtd.propagation import Layer


@torch.no_grad()
def activations(network: Network, x: Tensor) -> Iterator[tuple[Layer, Tensor, Tensor]]:
    """Each layer with its (stacked) input and its output, lowest first. # shape: (B, *in), (B, *out)"""
    layers = network.layers
    last_use = {index: i for i, layer in enumerate(layers) for index in layer.inputs}
    values = {-1: x}
    for i, layer in enumerate(layers):
        inputs = tuple(values[j] for j in layer.inputs)
        if isinstance(layer.primitive, AffineMap):
            a = layer.joined(inputs)
            values[i] = layer.primitive.apply(a)
        else:
            a, (values[i], _) = inputs[0], layer.primitive.forward(layer, inputs)
        yield layer, a, values[i]
        for j in {j for j in layer.inputs if last_use[j] == i}:
            del values[j]
