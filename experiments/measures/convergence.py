"""Do different initial relevances end in the same direction? Cosine similarity by depth (Sixt 2020).

Under a rule whose redistribution matrices are non-negative, their product tends to rank one: the relevance of every class
turns to one direction, and the explanation says little about the class that it explains.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.explaining.observe import observe
from dtd.network import Network
from dtd.network.graph import Graph
from dtd.plans.plan import Plan
from experiments.measures.similarity import unit


@dataclass(frozen=True, eq=False)
class Spread:
    """Cosines between the relevances of pairs of initial relevances, at one layer's output. # shape: (B, pairs)"""

    layer: str
    kind: str
    cosines: Tensor


@torch.no_grad()
def convergence(network: Network, x: Tensor, starts: Tensor, plan: Plan) -> list[Spread]:
    """The cosines at every layer with weights, from the output down; last the input, called ``(input)``.

    A layer in one of several branches sees only a part of the relevance and is left out.

    # shape: x (B, *in), starts (S, *out) with S ≥ 2
    """
    graph = network.graph
    batch, number = len(x), len(starts)
    initial = starts.to(x).repeat(batch, *[1] * (starts.ndim - 1))
    passed = observe(network, x.repeat_interleave(number, 0), initial, plan)
    whole = [i for i in range(len(graph.layers) - 1, -1, -1) if graph.layers[i].weighted and bottleneck(graph, i)]
    found = [(graph.layers[i].name, graph.layers[i].kind, passed.arrived[i]) for i in whole]
    found.append(("(input)", "input", passed.relevance[-1]))
    return [Spread(name, kind, pairs(r, batch, number)) for name, kind, r in found]


def bottleneck(graph: Graph, index: int) -> bool:
    """Whether all that is above a layer reads what is below it through the layer alone."""
    return all(i >= index for layer in graph.layers[index + 1 :] for i in layer.inputs)


def pairs(relevance: Tensor, batch: int, number: int) -> Tensor:
    """Cosines of all pairs; 1 where both vanish, 0 where one does. # shape: (B S, *layer) -> (B, S (S − 1) / 2)"""
    directions = unit(relevance.flatten(1).double()).unflatten(0, (batch, number))
    zero = (directions == 0).all(-1)
    cosines = torch.einsum("bin,bjn->bij", directions, directions)
    cosines = cosines.masked_fill(zero[:, :, None] & zero[:, None, :], 1.0)
    first, second = torch.triu_indices(number, number, 1)
    return cosines[:, first, second]
