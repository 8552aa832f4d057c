"""Faithfulness by deleting words from what the transformer reads: how fast does the predicted class's probability fall?

Words go in order of relevance to the predicted class, the most relevant first. A deleted word's tokens are gone, and those
behind them move up. The area is the mean probability over the shares deleted, from 0 to 1; lower is better.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from experiments.machine.console import progress
from experiments.models.sentence_classifier import Classifier
from experiments.questions.movie_reviews.deletion import RANDOM, order
from experiments.questions.sentiment.explaining import Spoken


def deleted(classifier: Classifier, said: Sequence[Spoken], steps: int, draws: int, seed: int) -> pd.DataFrame:
    """Probability of the predicted class by text, method and share of words deleted; ``random`` is the mean of draws."""
    generator = np.random.default_rng(seed)
    shares = np.linspace(0, 1, steps + 1)
    parts = []
    for place, text in progress(list(enumerate(said)), "deleting words"):
        orders = [(name, order(relevance, generator)) for name, relevance in text.relevance.items()]
        words = len(next(iter(text.relevance.values())))
        orders += [(RANDOM, generator.permutation(words)) for _ in range(draws)]
        curves = probabilities(classifier, text, [ranked for _, ranked in orders], steps)
        for (name, _), curve in zip(orders, curves, strict=True):
            parts.append(pd.DataFrame({"text": place, "plan": name, "deleted": shares, "probability": curve}))
    table = pd.concat(parts, ignore_index=True)
    return table.groupby(["text", "plan", "deleted"], sort=False, as_index=False).probability.mean()


def probabilities(classifier: Classifier, text: Spoken, orders: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """Probability of the text's class after the first 0, 1/steps, … 1 of the ranked words are gone.

    # shape: orders (words,) each -> (orders, steps + 1)
    """
    gone = torch.linspace(0, len(orders[0]), steps + 1).round().long().tolist()
    left = [text.tokens.without(frozenset(ranked[:count].tolist())) for ranked in orders for count in gone]
    return classifier.logits(left).softmax(1)[:, text.target].reshape(len(orders), steps + 1).double().numpy()
