"""Random graphs with a planted motif: a tree that grows by preferential attachment, and a house or a cycle of five nodes."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

CYCLE = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0))
HOUSE = (*CYCLE, (1, 4))  # a square with a roof: node 0
MOTIF = 5  # nodes of either


@dataclass(frozen=True, eq=False)
class Graphs:
    """Graphs of one size; the motif is in the last five nodes, and class 1 is the house. # shape: edges (G, N, N), y (G,)

    ``edges`` holds 1 for neighbours and on the diagonal.
    """

    edges: Tensor
    y: Tensor

    @property
    def x(self) -> Tensor:
        """One feature, the same for all nodes: a network sees how they are connected, nothing else. # shape: (G, N, 1)"""
        return torch.ones_like(self.edges[:, :, :1])

    def double(self) -> "Graphs":
        """In double precision."""
        return Graphs(self.edges.double(), self.y)


def generated(count: int, base: int, seed: int) -> Graphs:
    """Half of each class. A graph with a cycle has one edge more in its tree, so that counting edges says nothing."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    edges = [planted(base, bool(label), generator) for label in labels]
    return Graphs(torch.from_numpy(np.stack(edges)).float(), torch.from_numpy(labels))


def planted(base: int, house: bool, generator: np.random.Generator) -> np.ndarray:
    """One graph. # shape: (base + 5, base + 5)"""
    found = np.eye(base + MOTIF)
    pairs = [(base + a, base + b) for a, b in (HOUSE if house else CYCLE)]
    degree = np.zeros(base)
    for node in range(1, base):
        weights = degree[:node] + (node == 1)
        other = generator.choice(node, p=weights / weights.sum())
        pairs.append((node, other))
        degree[[node, other]] += 1
    pairs.append((int(generator.integers(base)), base + int(generator.integers(MOTIF))))
    for a, b in pairs:
        found[a, b] = found[b, a] = 1
    if not house:
        a, b = generator.choice(np.argwhere(np.triu(found[:base, :base] == 0)))
        found[a, b] = found[b, a] = 1
    return found


def connected_sets(edges: Tensor, size: int, count: int, generator: np.random.Generator) -> Tensor:
    """Random connected sets of nodes, grown from a node by one neighbour after the other. # shape: (N, N) -> (count, N)"""
    read, sets = edges.numpy() != 0, np.zeros((count, len(edges)), bool)
    for each in sets:
        each[generator.integers(len(edges))] = True
        while each.sum() < size:
            each[generator.choice(np.flatnonzero(read[each].any(0) & ~each))] = True
    return torch.from_numpy(sets)
