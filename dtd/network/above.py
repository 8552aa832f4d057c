"""The network above a layer, as a function of the activations that it reads."""

import torch
from torch import Tensor

from dtd.errors import InputError
from dtd.network.graph import Graph, Values
from dtd.primitive import MaxPool, Pointwise

SLACK = 2.0**12  # units of rounding, relative to the layer's largest value, that count as standing on a kink


def live(graph: Graph, first: int) -> frozenset[int]:
    """Indices of the outputs that layers ``first`` and above read (the network's output counts as read)."""
    read = {j for layer in graph.layers[first:] for j in layer.inputs if j < first}
    return frozenset(read | ({graph.output} if graph.output < first else set()))


def output_from(graph: Graph, first: int, values: Values) -> Tensor:
    """The network's output from the activations that layers ``first`` and above read. # shape: (B, *out)"""
    return graph.output_of(values, graph.ascend(values, first))


def same_region(graph: Graph, first: int, values: Values, moved: Values, rows: Tensor, closed: bool = True) -> Tensor:
    """Whether moved activations lie in the linear region of ``values``, for layers ``first`` and above.

    The region is that of ``first`` and everything above it: the side of each kink, the winner of each maximum. A point
    that rounding cannot tell from one on a kink belongs to both sides, unless only the interior counts (``closed`` False).

    # shape: values (B, *), moved (P, *), rows (P,): which sample each moved point belongs to -> (P,)

    Raises :class:`InputError` for a function that is not piecewise linear.
    """
    same = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    pairs = zip(graph.ascend(values, first), graph.ascend(moved, first), strict=True)
    for (_, layer, (here, *_), _), (_, _, (there, *_), pooled) in pairs:
        if isinstance(layer.op, MaxPool):
            kept = layer.op.at_winners(layer.op.move((here[rows],))[1], there)
            same &= ((pooled - kept) <= slack(there)).flatten(1).all(1)
        elif isinstance(layer.op, Pointwise):
            if layer.op.kinks is None:
                raise InputError(
                    f"Linear regions need piecewise linear functions (ReLU, leaky ReLU, max pooling); layer "
                    f"'{layer.name}' is {layer.kind}."
                )
            for kink in layer.op.kinks:
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
