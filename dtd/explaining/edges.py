"""Relevance of edges between two layers: how much each upper channel handed to each lower one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import Printed
from dtd.errors import InputError, check_parameter, is_number
from dtd.explaining.balances import Replay
from dtd.explaining.starts.unit import layer_index
from dtd.fast import prepared
from dtd.network.axes import channel_axis
from dtd.network.graph import Graph, Input
from dtd.propagation import Contextual
from dtd.relevance.passage import Passage, Watch

Nodes = Literal["channel", "unit"]
ADDED_UP = 1e-3  # of the largest relevance: how far edges may be from adding up, in float32


@dataclass(frozen=True, eq=False)
class Edges(Printed):
    """``R_{j←k}`` between the channels or units of two layers, of every sample: those above a threshold.

    Edge ``(n, k, j)`` is the relevance that lower node j has from upper node k in sample n. ``of_upper`` and ``of_lower``
    are the sums over all edges, those below the threshold included: what each upper node handed to the lower layer (its
    relevance, less what the layers between kept and what went past the lower layer), and what each lower node has from the
    upper layer (all of its relevance, where everything that reads it lies below the upper layer).

    >>> import dtd
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False))
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]])), model[1].weight.data.fill_(1.0)
    >>> net, x = dtd.trace(model, torch.ones(1, 2)), torch.tensor([[3.0, 1.0]])
    >>> dtd.explain(net, x, 0, dtd.Plan.uniform("lrp0")).edges("input", "0").dense()
    tensor([[[3., 2.],
             [0., 1.]]])

    # shape: index (E, 3) with rows (n, k, j), values (E,), of_upper (N, K), of_lower (N, J)

    Two units read a = (1, 1) by (1, 2) and (0, 1), and a sum reads them: a ⊙ w are the edges.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> for layer, weight in ((model[0], [[1.0, 2.0], [0.0, 1.0]]), (model[2], [[1.0, 1.0]])):
    ...     _ = layer.weight.data.copy_(torch.tensor(weight))
    >>> net, plan = dtd.trace(model, torch.ones(1, 2)), dtd.Plan.uniform("lrp0")
    >>> edges = dtd.explain(net, torch.ones(1, 2), 0, plan, at=["1"]).edges("1", "2")
    >>> edges.of_upper, edges.of_lower
    (tensor([[4.]]), tensor([[3., 1.]]))
    """

    lower: str
    upper: str
    index: Tensor
    values: Tensor
    of_upper: Tensor
    of_lower: Tensor

    def dense(self) -> Tensor:
        """The edges as a tensor, 0 where there is none. # shape: (N, K, J)"""
        shape = (*self.of_upper.shape, self.of_lower.shape[1])
        return self.values.new_zeros(shape).index_put(tuple(self.index.T), self.values)

    @property
    def dropped(self) -> Tensor:
        """The sum of the edges below the threshold. # shape: (N,)"""
        return self.of_upper.sum(1) - self.dense().sum((1, 2))


@own_arithmetic()
def edges_of(replays: Sequence[Replay], lower: str, upper: str, by: Nodes, threshold: float) -> Edges:
    """The edges of an explanation that was made in some parts."""
    check_parameter(by in get_args(Nodes), "by", f"one of {', '.join(get_args(Nodes))}", repr(by))
    check_parameter(
        is_number(threshold) and 0 <= threshold <= 1,
        "threshold",
        "from 0 to 1, a share of the sample's largest edge",
        threshold,
    )
    found = [torch.stack(list(handed(replay, lower, upper, by)), 1) for replay in replays]
    every = torch.cat(found)
    largest = every.abs().flatten(1).amax(1)[:, None, None]
    kept = (every != 0) & (every.abs() >= threshold * largest)
    return Edges(lower, upper, kept.nonzero(), every[kept], every.sum(2), every.sum(1))


def handed(replay: Replay, lower: str, upper: str, by: Nodes) -> Iterator[Tensor]:
    """What each upper node handed to the lower nodes, one after another. # shape: (B, J) each"""
    replay.check_current()
    graph, high = replay.graph, layer_index(replay.graph, upper)
    low = lower_index(graph, lower)
    part, indices = between(graph, low, high)
    place = low if low < 0 else -1 - len(graph.inputs)
    if not any(place in layer.inputs for layer in part.layers):
        raise InputError(f"Layer '{upper}' does not depend on '{lower}': no edges lead from one to the other.")
    models = tuple(replay.models[i] for i in indices)
    places = {i: k for k, i in enumerate(indices)}
    gates = {places[i]: gate for i, gate in replay.passage.gates.items() if i in places and i != high}
    passage = Passage(gates=gates)
    program = prepared(part, models, None, passage)
    if program is None:
        looking = next(part.layers[i].name for i, model in enumerate(models) if isinstance(model, Contextual))
        raise InputError(f"Edges need rules that are linear in relevance; that of '{looking}' looks at the layers above.")
    whole = replay._replace(passage=Passage(frozenset({high}), replay.passage.gates), done=None).run().watch.passed[high]
    values = {**replay.values}
    if low >= 0:
        values[place] = next(y for i, _, _, y in graph.ascend(replay.values) if i == low)
    swept = program.forward(values)

    def down(initial: Tensor) -> Tensor:
        arrived = program.backward(swept, initial, values, False, Watch(passage))[place]
        return nodes(arrived, None if low < 0 else channel_axis(graph, low), by)

    total = down(whole.clone())
    added = torch.zeros_like(total)
    for initial in node_by_node(whole, channel_axis(graph, high), by):
        found = down(initial)
        added += found
        yield found
    if total.numel() and float((added - total).abs().max()) > ADDED_UP * float(total.abs().max()):
        raise InputError(f"Edges need rules that are linear in relevance; those below '{upper}' are not.")


def lower_index(graph: Graph, name: str) -> int:
    """The index of a layer or, as a negative number, of an explained input."""
    for k, each in enumerate(graph.inputs):
        if each.name == name and all(layer.name != name for layer in graph.layers):
            return -1 - k
    try:
        return layer_index(graph, name)
    except InputError as error:
        inputs = ", ".join(each.name for each in graph.inputs)
        raise InputError(f"{error} Edges may also lead to an explained input: {inputs}.") from error


def between(graph: Graph, low: int, high: int) -> tuple[Graph, tuple[int, ...]]:
    """What layer ``high`` is computed by, with the output of ``low`` as one more explained input; its layers' indices."""
    kept, pending = set(), [high]
    while pending:
        i = pending.pop()
        if i >= 0 and i != low and i not in kept:
            kept.add(i)
            pending += graph.layers[i].inputs
    indices = tuple(sorted(kept))
    places = {i: k for k, i in enumerate(indices)}
    inputs = graph.inputs
    if low >= 0:
        places[low] = -1 - len(inputs)
        inputs = (*inputs, Input(graph.layers[low].name, graph.layers[low].shape, graph.layers[low].image))
    reads = {i: tuple(places.get(j, j) for j in graph.layers[i].inputs) for i in indices}
    layers = tuple(replace(graph.layers[i], inputs=reads[i]) for i in indices)
    return Graph(layers, places[high], inputs, graph.like), indices


def node_by_node(relevance: Tensor, axis: int, by: Nodes) -> Iterator[Tensor]:
    """The relevance of one node after another, at its place and 0 elsewhere. # shape: (B, *out) each"""

    def by_node(values: Tensor) -> Tensor:
        return values.flatten(1) if by == "unit" or values.ndim <= 2 else values.movedim(axis + 1, 1)

    whole = relevance.contiguous()
    for k in range(by_node(whole).shape[1]):
        chosen = torch.zeros_like(whole)
        by_node(chosen)[:, k] = by_node(whole)[:, k]
        yield chosen


def nodes(relevance: Tensor, axis: int | None, by: Nodes) -> Tensor:
    """Relevance of each node: of single units, or summed over the places of each channel. # shape: (B, *out) -> (B, J)"""
    if by == "unit" or relevance.ndim <= 2:
        return relevance.flatten(1)
    first = axis if axis is not None else 1 if relevance.ndim == 3 else 0  # of an input
    return relevance.movedim(first + 1, 1).flatten(2).sum(2)
