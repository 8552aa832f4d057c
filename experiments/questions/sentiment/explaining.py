"""Relevance of words to the log-odds of the predicted class, by each plan and by gradient × input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.explaining.explain import explain
from dtd.explaining.explanation import Explanation
from dtd.network import Network, trace
from dtd.plans.plan import Plan
from experiments.configs.run import Config
from experiments.data.text.tokens import Tokens
from experiments.machine.console import progress
from experiments.measures.embedded import gradient_times_input
from experiments.models.sentence_classifier import Classifier
from experiments.plans import plans

GRADIENT = "gradient_x_input"
GROUP = 8  # texts of about one length that are explained at once


@dataclass(frozen=True, eq=False)
class Spoken:
    """What is said of one text. ``relevance``: that of its words by method; ``special``: that of the tokens added to it.

    # shape: relevance (words,) each
    """

    tokens: Tokens
    target: int
    log_odds: float
    probability: float
    relevance: Mapping[str, Tensor]
    special: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Reader:
    """A classifier, its network in the run's precision, and the run's plans for it."""

    classifier: Classifier
    network: Network
    plans: Mapping[str, Plan]

    def spoken(self, texts: Sequence[Tokens], words: Sequence[int]) -> list[Spoken]:
        """What each method says of each text, which holds so many words."""
        found: dict[int, Spoken] = {}
        ordered = torch.tensor(sorted(range(len(texts)), key=lambda place: len(texts[place].ids)))
        for places in progress(list(ordered.split(GROUP)), "explaining texts"):
            members = places.tolist()
            found |= self.group(members, [texts[place] for place in members], [words[place] for place in members])
        return [found[place] for place in range(len(texts))]

    def group(self, places: Sequence[int], texts: Sequence[Tokens], words: Sequence[int]) -> dict[int, Spoken]:
        """Texts of about one length, padded to the longest of them."""
        ids = self.classifier.batch([text.ids for text in texts])
        by_method = {name: self.explained(ids, plan).relevance.sum(-1) for name, plan in self.plans.items()}
        by_method[GRADIENT] = gradients(self.classifier, ids)
        logits = self.classifier.model(ids)
        target, chances = logits.argmax(1), logits.softmax(1).amax(1)
        odds = odds_of_predicted(logits)
        made = {}
        for i, (place, text) in enumerate(zip(places, texts, strict=True)):
            own = {name: values[i, : len(text.ids)].double() for name, values in by_method.items()}
            relevance = {name: text.summed(values, words[i]) for name, values in own.items()}
            special = {name: text.special(values).item() for name, values in own.items()}
            made[place] = Spoken(text, int(target[i]), odds[i].item(), chances[i].item(), relevance, special)
        return made

    def explained(self, ids: Tensor, plan: Plan) -> Explanation:
        """The log-odds of the predicted class, decomposed. # shape: (B, T)"""
        return explain(self.network, ids, for_predicted, plan)


def reader(config: Config, classifier: Classifier, texts: Sequence[Tokens], dtype: torch.dtype) -> Reader:
    """The classifier in one precision, traced on the first two texts."""
    classifier.model.to(dtype)
    ids = classifier.batch([text.ids for text in texts[:2]])
    network = trace(classifier.model, ids)
    return Reader(classifier, network, plans(config, network, None))


def for_predicted(logits: Tensor) -> Tensor:
    """Initial relevance that sums to the log-odds of the predicted class: its logit, and the other's with a minus sign.

    # shape: (B, 2) -> (B, 2)
    """
    sign = 2 * torch.nn.functional.one_hot(logits.argmax(1), 2).to(logits) - 1
    return sign * logits


def gradients(classifier: Classifier, ids: Tensor) -> Tensor:
    """Gradient × input of each token for the log-odds of the predicted class. # shape: (B, T)"""
    table = classifier.model.encoder.get_input_embeddings()
    return gradient_times_input(table, lambda: odds_of_predicted(classifier.model(ids)))


def odds_of_predicted(logits: Tensor) -> Tensor:
    """The log-odds of the predicted class, to be differentiated. # shape: (B, 2) -> (B,)"""
    return (logits[:, 1] - logits[:, 0]).abs()
