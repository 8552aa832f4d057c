"""Whether the layers of a network make walks over nodes, and which walks there are."""

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.explaining.starts.unit import layer_index
from dtd.network.graph import Graph


def common_nodes(graph: Graph, layers: tuple[str, ...], axis: int) -> int:
    """The number of nodes; raises :class:`InputError` for layers that make no walks."""
    places = [layer_index(graph, name) for name in layers]
    if sorted(set(places)) != places:
        raise InputError(f"'layers' must be in the order of the network, the lowest first; found {', '.join(layers)}.")
    shapes = {graph.inputs[0].name: graph.inputs[0].shape} | {
        n: graph.layers[i].shape for n, i in zip(layers, places, strict=True)
    }
    for name, shape in shapes.items():
        if not isinstance(axis, int) or not 0 <= axis < len(shape) or shape[axis] != graph.inputs[0].shape[axis]:
            raise InputError(f"Nodes lie on axis {axis} of one sample everywhere; '{name}' has the shape {shape}.")
    for name, place in zip(layers, places, strict=True):
        if bypassed(graph, place):
            raise InputError(
                f"Relevance can reach the input without passing layer '{name}', which a walk must pass: name the layer "
                "where both ways meet, such as the residual sum."
            )
    return graph.inputs[0].shape[axis]


def bypassed(graph: Graph, place: int) -> bool:
    """Whether some way from the output to the input does not pass a layer."""
    seen, pending = {place}, [graph.output]
    while pending:
        i = pending.pop()
        if i < 0:
            return True
        if i not in seen:
            seen.add(i)
            pending += graph.layers[i].inputs
    return False


def extended(paths: Tensor, read: Tensor) -> Tensor:
    """Every walk with each node in front that its first one reads. # shape: (W, l), (N, N) -> (V, l + 1)"""
    which, node = read[paths[:, 0]].nonzero(as_tuple=True)
    return torch.cat([node[:, None], paths[which]], 1)
