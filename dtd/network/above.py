"""The network above a layer, as a function of the activations that it reads."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.errors import InputError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.primitive import MaxPool, Pointwise
from dtd.propagation import Layer

KINKS = {"relu": (0.0,), "relu6": (0.0, 6.0), "leaky_relu": (0.0,)}  # where a piecewise linear function bends
SLACK = 2.0**12  # units of rounding, relative to the layer's largest value, that count as standing on a kink

Values = Mapping[int, Tensor]  # by layer index (−1: the network's input), the outputs that a part of the network reads


def live(graph: Network | Graph, first: int) -> frozenset[int]:
    """Indices of the outputs that layers ``first`` and above read (the network's output counts as read)."""
    read = {j for layer in graph.layers[first:] for j in layer.inputs if j < first}
    return frozenset(read | ({graph.output} if graph.output < first else set()))


def evaluate(graph: Network | Graph, first: int, values: Values) -> Iterator[tuple[int, Layer, tuple[Tensor, ...], Tensor]]:
    """Layers ``first`` and above on given activations: index, layer, its inputs, its output. # shape: (B, *) each"""
    values = dict(values)
    for i, layer in enumerate(graph.layers[first:], first):
        inputs = tuple(values[j] for j in layer.inputs)
        if isinstance(layer.primitive, AffineMap):
            values[i] = layer.primitive.apply(layer.joined(inputs))
        else:
            values[i], _ = layer.primitive.forward(layer, inputs)
        yield i, layer, inputs, values[i]


def output_from(graph: Network | Graph, first: int, values: Values) -> Tensor:
    """The network's output from the activations that layers ``first`` and above read. # shape: (B, *out)"""
    outputs = {i: output for i, _, _, output in evaluate(graph, first, values)}
    return {**values, **outputs}[graph.output]


def same_region(
    graph: Network | Graph, first: int, values: Values, moved: Values, rows: Tensor, closed: bool = True
) -> Tensor:
    """Whether moved activations lie in the linear region of ``values``, for layers ``first`` and above.

    The region is that of ``first`` and everything above it: the side of each kink, the winner of each maximum. A point
    that rounding cannot tell from one on a kink belongs to both sides, unless only the interior counts (``closed`` False).

    # shape: values (B, *), moved (P, *), rows (P,): which sample each moved point belongs to -> (P,)

    Raises :class:`InputError` for a function that is not piecewise linear.
    """
    same = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    pairs = zip(evaluate(graph, first, values), evaluate(graph, first, moved), strict=True)
    for (_, layer, (here, *_), _), (_, _, (there, *_), pooled) in pairs:
        if isinstance(layer.primitive, MaxPool):
            kept = layer.primitive.at_winners(layer.primitive.move((here[rows],))[1], there)
            same &= ((pooled - kept) <= slack(there)).flatten(1).all(1)
        elif isinstance(layer.primitive, Pointwise):
            if layer.kind not in KINKS:
                raise InputError(
                    f"Linear regions need piecewise linear functions ({', '.join(KINKS)}, max pooling); layer "
                    f"'{layer.name}' is {layer.kind}."
                )
            for kink in KINKS[layer.kind]:
                before, after = here[rows] - kink, there - kink
                crossed = before * after < 0 if closed else (before * after <= 0) & (before != 0)
                if closed:
                    crossed &= (after.abs() > slack(there)) & (before.abs() > slack(here)[rows])
                same &= ~crossed.flatten(1).any(1)
    return same


def slack(z: Tensor) -> Tensor:
    """What a rounding error can be mistaken for, sample by sample. # shape: (P, *) -> (P, 1, ...)"""
    largest = z.abs().flatten(1).amax(1) if z.numel() else z.new_zeros(len(z))
    return (SLACK * torch.finfo(z.dtype).eps * largest).view(-1, *[1] * (z.ndim - 1))
