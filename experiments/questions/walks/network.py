"""A small graph network, trained here in seconds."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from dtd.network import Network, trace
from experiments.machine.conditions import seeded
from experiments.machine.console import progress
from experiments.questions.walks.graphs import Graphs

SCALE = 3.0  # sums over neighbours are divided by it, so that activations stay of one size
LEARNING_RATE = 5e-3


class GraphNetwork(nn.Module):
    """Rounds ``h ← max(0, W (A h / 3) + b)``, the mean over nodes, and a linear layer (a graph isomorphism network)."""

    def __init__(self, rounds: int, hidden: int):
        super().__init__()
        sizes = [1] + rounds * [hidden]
        self.rounds = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.states = nn.ModuleList(nn.ReLU() for _ in range(rounds))
        self.classifier = nn.Linear(hidden, 2)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        for linear, state in zip(self.rounds, self.states, strict=True):
            x = state(linear(edges @ x / SCALE))
        return self.classifier(x.mean(1))


@dataclass(frozen=True, eq=False)
class Trained:
    """A network in double precision with what was found of it."""

    model: GraphNetwork
    network: Network
    layers: tuple[str, ...]  # nodes' states, lowest first
    accuracy: float  # on graphs that it was not trained on


def trained(train: Graphs, test: Graphs, rounds: int, hidden: int, epochs: int, seed: int) -> Trained:
    """Adam on all graphs at once, with the learning rate falling to 0."""
    with seeded(seed):
        model = GraphNetwork(rounds, hidden)
        optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1 - epoch / epochs)
        for _ in progress(range(epochs), "training the graph network"):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(train.x, train.edges), train.y).backward()
            optimiser.step()
            schedule.step()
    model = model.double().requires_grad_(False).eval()
    exact = test.double()
    accuracy = (model(exact.x, exact.edges).argmax(1) == exact.y).double().mean().item()
    network = trace(model, (exact.x[:2], exact.edges[:2]), explained=["x"])
    return Trained(model, network, tuple(f"states.{n}" for n in range(rounds)), accuracy)
