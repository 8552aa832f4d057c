"""Relevance of words: a network for each length of text, with the run's plans for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dtd.domain import Box
from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.configs.run import Config
from experiments.models.reviews import ReviewNetwork
from experiments.models.word_network import WordNetwork
from experiments.plans import plans

GROUP = 32  # texts that are explained at once


@dataclass(frozen=True, eq=False)
class Group:
    """Texts of one length. # shape: x (B, length, D), target (B,) the predicted classes"""

    members: Sequence[int]  # their places among all texts
    model: WordNetwork
    network: Network
    plans: Mapping[str, Plan]
    x: Tensor
    target: Tensor

    def only(self, places: Sequence[int]) -> "Group":
        """Those of its texts that have one of the places."""
        here = [i for i, member in enumerate(self.members) if member in places]
        return replace(self, members=[self.members[i] for i in here], x=self.x[here], target=self.target[here])

    def relevance(self, plan: Plan) -> Tensor:
        """Relevance of each word to the predicted class: the sum over its vector. # shape: (B, length)"""
        return explain(self.network, self.x, self.target, plan).relevance.sum(-1)

    def gradient_times_input(self) -> Tensor:
        """``x ∂f/∂x``, summed over each word's vector. # shape: (B, length)"""
        x = self.x.clone().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self.model(x).gather(1, self.target[:, None]).sum(), x)
        return (self.x * gradient).sum(-1)


@torch.no_grad()
def groups(config: Config, network: ReviewNetwork, texts: Sequence[Tensor]) -> Iterator[Group]:
    """The texts that hold a word, by length; the domain is the smallest box that holds every word's vector.

    # shape: texts (words,) each, rows of the vocabulary
    """
    table = network.words.weight
    bounds = table.amin(0), table.amax(0)
    by_length: dict[int, list[int]] = {}
    for place, text in enumerate(texts):
        by_length.setdefault(len(text), []).append(place)
    for length in sorted(by_length.keys() - {0}):
        model = WordNetwork(network, length).eval()
        all_x = table[torch.stack([texts[place] for place in by_length[length]])]
        traced = trace(model, all_x[:1], Box(*(bound.expand(1, length, -1) for bound in bounds)))
        made = plans(config, traced, (all_x, all_x))
        for members, x in zip(torch.tensor(by_length[length]).split(GROUP), all_x.split(GROUP), strict=True):
            yield Group(members.tolist(), model, traced, made, x, model(x).argmax(1))
