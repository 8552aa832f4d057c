"""Relevance of walks through a network of nodes: one node at the input and at each of some layers (GNN-LRP)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dtd.callers.printing import Printed, shown
from dtd.errors import BudgetError, InputError, check_parameter
from dtd.explaining.explain import explain
from dtd.explaining.request import Asked
from dtd.explaining.rows import samples_at
from dtd.explaining.starts.unit import layer_index
from dtd.explaining.target import target_at
from dtd.explaining.walkable import common_nodes, extended
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked


@dataclass(frozen=True, eq=False)
class WalkRelevance(Printed):
    """Relevance of every walk along edges; ``rest`` is what all other walks have, and 0 where the edges are the network's.

    # shape: paths (W, L + 1), the input's node first; relevance (W,)

    >>> import torch, dtd
    >>> dtd.WalkRelevance(torch.tensor([[0, 0], [1, 0]]), torch.tensor([1.0, -2.0]), 0.0).top(1).walk[0]
    (1, 0)
    """

    paths: Tensor
    relevance: Tensor
    rest: float

    def top(self, count: int = 10) -> pd.DataFrame:
        """The walks of largest ``|R|``. Columns: ``walk`` (nodes, the input's first) and ``relevance``."""
        check_parameter(isinstance(count, int) and count >= 1, "count", "a positive integer", count)
        order = self.relevance.abs().argsort(descending=True)[:count]
        walks = [tuple(path) for path in self.paths[order].tolist()]
        return pd.DataFrame({"walk": walks, "relevance": self.relevance[order].tolist()})


@dataclass(frozen=True, eq=False)
class Walks(Printed):
    """The walks of one sample. Made by :func:`dtd.walks`; nothing is computed until something is asked for.

    >>> import torch, dtd
    >>> model, x = torch.nn.ReLU(), torch.tensor([[[1.0], [2.0]]])
    >>> found = dtd.walks(dtd.trace(model, x), x, lambda y: y, layers=["relu"])  # no node reads another
    >>> found.every(torch.eye(2)).relevance.tolist(), found.total.item()
    ([1.0, 2.0], 3.0)
    """

    network: Network
    inputs: Inputs
    target: Asked
    plan: Plan | None
    layers: tuple[str, ...]
    axis: int
    nodes: int
    at_once: int

    def of(self, paths: Tensor | Sequence[Sequence[int]]) -> Tensor:
        """Relevance of some walks: only what passes through the one node of each layer is handed on, and one node is read.

        Walks that differ at the input alone share their pass. # shape: paths (W, L + 1), the input's node first -> (W,)
        """
        paths = torch.as_tensor(paths)
        whole = not paths.is_floating_point() and paths.dtype != torch.bool and paths.ndim == 2
        inside = whole and paths.shape[1] == len(self.layers) + 1 and bool(((paths >= 0) & (paths < self.nodes)).all())
        required = f"walks (W, {len(self.layers) + 1}) over nodes 0 to {self.nodes - 1}"
        check_parameter(inside, "paths", required, tuple(paths.shape) if paths.ndim != 2 or whole else paths.dtype)
        upper, place = paths[:, 1:].unique(dim=0, return_inverse=True)
        masks = torch.nn.functional.one_hot(upper, self.nodes)  # (U, L, N)
        return self._relevance(masks)[place, paths[:, 0]]

    def within(self, nodes: Tensor) -> Tensor:
        """Relevance of all walks that stay inside a set of nodes, found by one pass for each set (Xiong 2022).

        The pass is masked by the set at every layer and summed over it at the input, so it costs what an explanation costs,
        whatever the number of walks. All walks that touch the set have ``total − within(~nodes)``.

        # shape: nodes (K, N), truth values -> (K,)
        """
        fits = isinstance(nodes, Tensor) and nodes.dtype == torch.bool and nodes.ndim == 2 and nodes.shape[1] == self.nodes
        found = f"{nodes.dtype} {tuple(nodes.shape)}" if isinstance(nodes, Tensor) else type(nodes).__name__
        check_parameter(fits, "nodes", f"truth values (K, {self.nodes})", found)
        return (self._relevance(nodes[:, None].expand(-1, len(self.layers), -1)) * nodes).sum(1)

    @property
    def total(self) -> Tensor:
        """Relevance of all walks, which is the input's. # shape: ()"""
        return self.within(torch.ones(1, self.nodes, dtype=torch.bool))[0]

    def every(self, edges: Tensor, most: int = 100_000) -> WalkRelevance:
        """All walks along edges, one by one.

        ``edges[u, v]`` says that node u reads node v, itself included where it does: an adjacency matrix with its diagonal.
        Raises :class:`BudgetError` for more than ``most`` passes. # shape: edges (N, N)
        """
        fits = isinstance(edges, Tensor) and tuple(edges.shape) == (self.nodes, self.nodes)
        check_parameter(fits, "edges", f"a tensor of shape ({self.nodes}, {self.nodes})", shown(edges))
        read = (edges != 0).cpu()
        upper = torch.arange(self.nodes)[:, None]
        for _ in self.layers[1:]:
            count = int(read[upper[:, 0]].sum())
            if count > most:
                raise BudgetError(
                    f"There are {count:,} walks above the input; 'most' is {most:,}. Ask for sets: within(nodes)."
                )
            upper = extended(upper, read)
        paths = extended(upper, read)
        relevance = self.of(paths)
        return WalkRelevance(paths, relevance, float(self.total - relevance.sum()))

    def _relevance(self, masks: Tensor) -> Tensor:
        """Relevance of the input's nodes under masks of the layers' nodes. # shape: (K, L, N) -> (K, N)"""
        found = [self._part(part) for part in masks.split(self.at_once)]
        return torch.cat(found) if found else torch.zeros(0, self.nodes)

    def _part(self, masks: Tensor) -> Tensor:
        rows = torch.zeros(len(masks), dtype=torch.long)
        graph = self.network.read(self.inputs).graph
        through = {}
        for number, name in enumerate(self.layers):
            shape = [1] * len(graph.layers[layer_index(graph, name)].shape)
            shape[self.axis] = self.nodes
            through[name] = masks[:, number].reshape(len(masks), *shape).to(graph.like)
        target = target_at(self.target, rows)
        out = explain(self.network, samples_at(self.network, self.inputs, rows), target, self.plan, through=through)
        return out.parts[0].movedim(self.axis + 1, 1).flatten(2).sum(2)


def walks(
    network: Network,
    inputs: Inputs,
    target: Asked,
    plan: Plan | None = None,
    *,
    layers: Sequence[str],
    axis: int = 0,
    at_once: int = 256,
) -> Walks:
    """Decompose relevance on walks: ``Σ_W R_W = Σ_i R_i``, with one node of each layer in each walk (Schnake 2022).

    In a network in which nodes read their neighbours (a graph network, attention over tokens), relevance of node v at the
    input has reached it on many ways. ``R_W`` for ``W = (v_0, v_1, …, v_L)`` is what arrives at ``v_0`` of relevance that
    passed ``v_L``, …, ``v_1`` at the outputs of ``layers``: the pass is linear in the relevance that it hands down, so
    the relevances of all walks add up to that of the input, under every rule.

    Args:
        network, inputs, target, plan: as for :func:`dtd.explain`; one sample, one explained input.
        layers: names of the layers whose outputs are the nodes' states, the lowest first. All that reaches the output must
            pass each of them: name the sum where there is a residual connection.
        axis: the nodes' axis of one sample, in the input and in all layers.
        at_once: how many passes are run as one batch.

    >>> import torch, dtd
    >>> class Nodes(torch.nn.Module):
    ...     def forward(self, x):
    ...         h = torch.relu(torch.tensor([[1.0, 1.0], [0.0, 1.0]]) @ x)
    ...         return h.sum(1)
    >>> x = torch.tensor([[[1.0], [2.0]]])
    >>> network = dtd.trace(Nodes(), x)
    >>> found = dtd.walks(network, x, 0, layers=["relu"])
    >>> found.of([(0, 0), (1, 0), (1, 1)]).tolist(), found.within(torch.tensor([[False, True]])).tolist()
    ([1.0, 2.0, 2.0], [2.0])

    Raises :class:`InputError` for several samples or inputs, layers that there are not, are not in order or can be
    bypassed, and an axis on which they differ in size.
    """
    if plan is not None:
        check_asked(network, plan)
    reading = network.read(inputs)
    graph = reading.graph
    if reading.batch != 1 or len(graph.inputs) != 1:
        raise InputError(
            f"Walks are those of one sample with one explained input; found {reading.batch} samples and "
            f"{len(graph.inputs)} inputs. Take one, x[:1], and trace with explained=[…]: the others are then side values."
        )
    check_parameter(bool(layers) and not isinstance(layers, str), "layers", "names of layers, the lowest first", layers)
    check_parameter(isinstance(at_once, int) and at_once >= 1, "at_once", "a positive integer", at_once)
    nodes = common_nodes(graph, tuple(layers), axis)
    return Walks(network, inputs, target, plan, tuple(layers), axis, nodes, at_once)
