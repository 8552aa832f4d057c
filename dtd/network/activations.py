"""The forward sweep by itself."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.propagation import Layer


@torch.no_grad()
def activations(network: Network, inputs: Inputs) -> Iterator[tuple[Layer, Tensor, Tensor]]:
    """Each layer with its (stacked) input and its output, lowest first. # shape: (B, *in), (B, *out)"""
    graph, values = network.read(inputs)
    for _, layer, read, output in graph.ascend(values):
        yield layer, layer.joined(read) if isinstance(layer.op, AffineMap) else read[0], output
