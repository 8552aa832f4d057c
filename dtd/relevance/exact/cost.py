"""What the full recursion costs, known before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from dtd.propagation import Layer

ALIVE = 8  # tensors of a layer's size alive at once in a sweep, a relevance pass and their graph
BYTES = 8  # of one number
ATTACHED = 3  # times that a differentiated root and its gradient run the decomposition above


@dataclass(frozen=True)
class Cost:
    """Of one row: evaluations of the network, and bytes held for one gradient."""

    evaluations: int
    bytes: int


def cost_above(layers: Sequence[Layer], searched: dict[int, int], position: int) -> Cost:
    """The cost of the relevance of layer ``position``'s output at one row.

    ``searched``: for each layer with an exact model, how many points of the decomposition above one root takes.
    ``V(p) = 1 + Σ_{q > p} K_q E_q V(q)`` over the exact layers q above p, with ``K_q`` units and ``E_q`` points each.
    """
    size = 0
    costs: dict[int, Cost] = {}
    for q in range(len(layers) - 1, position - 1, -1):
        size += prod(layers[q].shape)
        evaluations = 1 + sum(prod(layers[m].shape) * searched[m] * cost.evaluations for m, cost in costs.items())
        attached = sum(prod(layers[m].shape) * ATTACHED * cost.bytes for m, cost in costs.items())
        here = Cost(evaluations, BYTES * ALIVE * size + attached)
        if q == position:
            return here
        if q in searched:
            costs[q] = here
    raise ValueError(f"No layer {position} among {len(layers)}.")
