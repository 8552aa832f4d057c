"""The forward sweep by itself."""

from collections.abc import Iterator

from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.arithmetic import own_arithmetic
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.propagation import Layer


def activations(network: Network, inputs: Inputs) -> Iterator[tuple[Layer, Tensor, Tensor]]:
    """Each layer with its (stacked) input and its output, lowest first. # shape: (B, *in), (B, *out)"""
    graph, values = network.read(inputs)
    visits = graph.ascend(values)
    while True:
        with own_arithmetic():  # for each step: what the caller does between two of them is the caller's
            visit = next(visits, None)
        if visit is None:
            return
        _, layer, read, output = visit
        yield layer, layer.joined(read) if isinstance(layer.op, AffineMap) else read[0], output
