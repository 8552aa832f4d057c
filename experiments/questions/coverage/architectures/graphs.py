"""Networks on graphs and sets: dense and sparse adjacency, attention on edges, points; written as torch_geometric does."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, settled

NODES, WIDTH, CLASSES = 5, 4, 3
EDGES = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 0), (2, 1), (0, 3))


def adjacency() -> torch.Tensor:
    """The graph's normalised adjacency with self-loops, symmetric. # shape: (NODES, NODES)"""
    dense = torch.eye(NODES, dtype=torch.double)
    for source, target in EDGES:
        dense[target, source] = dense[source, target] = 1
    scale = dense.sum(1).rsqrt()
    return scale[:, None] * dense * scale


class Dense(nn.Module):
    """A graph convolution with the adjacency as a buffer (Kipf 2017); ``given`` takes it as a second input."""

    def __init__(self, given: bool):
        super().__init__()
        self.register_buffer("adjacency", adjacency())
        self.one, self.two, self.given = nn.Linear(WIDTH, 6), nn.Linear(6, CLASSES), given

    def forward(self, x, graph=None):
        graph = self.adjacency if graph is None else graph
        return self.two(graph @ F.relu(self.one(graph @ x))).mean(1)


class Sparse(nn.Module):
    """Messages along edges: rows gathered by source, added up by target; the edges are an input that is not batched."""

    def __init__(self, way: str):
        super().__init__()
        self.one, self.two, self.way = nn.Linear(WIDTH, 6), nn.Linear(6, CLASSES), way

    def gathered(self, x, edges):
        messages = x.index_select(1, edges[0])
        if self.way == "index_add":
            return torch.zeros_like(x).index_add(1, edges[1], messages)
        places = edges[1][None, :, None].expand_as(messages)
        return torch.zeros_like(x).scatter_add(1, places, messages)

    def forward(self, x, edges):
        return self.two(F.relu(self.one(x + self.gathered(x, edges)))).mean(1)


class EdgeAttention(nn.Module):
    """Attention over neighbours: a softmax over the edges that end at a node (Velickovic 2018)."""

    def __init__(self):
        super().__init__()
        self.value, self.source, self.target = nn.Linear(WIDTH, 6), nn.Linear(6, 1), nn.Linear(6, 1)
        self.head = nn.Linear(6, CLASSES)
        self.register_buffer("hidden", adjacency() == 0)

    def forward(self, x):
        z = self.value(x)
        scores = F.leaky_relu(self.target(z) + self.source(z).transpose(1, 2), 0.2)
        return self.head(scores.masked_fill(self.hidden, float("-inf")).softmax(-1) @ z).mean(1)


class Points(nn.Module):
    """A set of points: a shared network for each, and the maximum over points (PointNet; Qi 2017)."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Conv1d(3, 6, 1), nn.Conv1d(6, 8, 1), nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.head(torch.max(F.relu(self.two(F.relu(self.one(x.transpose(1, 2))))), 2)[0])


class Sums(nn.Module):
    """A set under a sum (deep sets; Zaheer 2017)."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(3, 6), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.two(F.relu(self.one(x)).sum(1))


def nodes() -> torch.Tensor:
    return normal(BATCH, NODES, WIDTH)


def with_edges(way: str) -> Example:
    inputs = {"x": nodes(), "edges": torch.tensor(EDGES).T.contiguous()}
    return Example(settled(Sparse(way)), inputs, None, {"unbatched": ("edges",)})


MAKERS = {
    "gcn_buffer": lambda: Example(settled(Dense(False)), nodes()),
    "gcn_given": lambda: Example(
        settled(Dense(True)), {"x": nodes(), "graph": adjacency()}, None, {"unbatched": ("graph",), "explained": ("x",)}
    ),
    "gnn_scatter_add": lambda: with_edges("scatter_add"),
    "gnn_index_add": lambda: with_edges("index_add"),
    "graph_attention": lambda: Example(settled(EdgeAttention()), nodes()),
    "point_net": lambda: Example(settled(Points()), normal(BATCH, 6, 3)),
    "deep_sets": lambda: Example(settled(Sums()), normal(BATCH, 6, 3)),
}
ARCHITECTURES = listed("user, graphs", {f"user.{name}": make for name, make in MAKERS.items()})
