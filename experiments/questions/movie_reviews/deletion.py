"""Faithfulness by deleting words: how fast does the predicted class's probability fall?

Words go in order of relevance to the predicted class, the most relevant first. A deleted word is gone: the mean is over
those that remain, and over none it is 0. The area is the mean probability over the shares deleted, from 0 to 1; lower is
better.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from experiments.machine.console import progress
from experiments.models.reviews import ReviewNetwork

RANDOM = "random"
TIED = 1e-9  # relevances closer than this share of the largest are in random order


def deleted(network: ReviewNetwork, texts: Mapping, steps: int, draws: int, seed: int) -> pd.DataFrame:
    """Probability of the predicted class by text, method and share of words deleted; ``random`` is the mean of draws."""
    generator = np.random.default_rng(seed)
    shares = np.linspace(0, 1, steps + 1)
    parts = []
    for place, text in progress(sorted(texts.items()), "deleting words"):
        orders = {name: [order(relevance, generator)] for name, relevance in text.relevance.items()}
        orders[RANDOM] = [generator.permutation(len(text.x)) for _ in range(draws)]
        for name, ranked in orders.items():
            curves = [curve(network, text.x, text.target, each, steps) for each in ranked]
            values = {"deleted": shares, "probability": np.mean(curves, axis=0)}
            parts.append(pd.DataFrame({"text": place, "plan": name, **values}))
    return pd.concat(parts, ignore_index=True)


def order(relevance: Tensor, generator: np.random.Generator) -> np.ndarray:
    """Words from the most to the least relevant; equal ones in random order. # shape: (n,)"""
    values = relevance.numpy()
    scale = np.abs(values).max() * TIED
    level = np.round(values / scale) if scale else values
    return np.lexsort((generator.random(len(values)), -level))


@torch.no_grad()
def curve(network: ReviewNetwork, x: Tensor, target: int, ranked: np.ndarray, steps: int) -> np.ndarray:
    """Probability of ``target`` after the first 0, 1/steps, … 1 of the ranked words are gone.

    # shape: x (n, D) -> (steps + 1,)
    """
    n = len(x)
    kept = x[ranked.copy()].flip(0).cumsum(0).flip(0)  # row k: the sum without the first k
    sums = torch.cat([kept, kept.new_zeros(1, kept.shape[1])])
    gone = torch.linspace(0, n, steps + 1).round().long()
    means = sums[gone] / (n - gone).clamp(min=1)[:, None]
    return network.dense(means).softmax(1)[:, target].numpy()


@torch.no_grad()
def leaving_one_out(network: ReviewNetwork, x: Tensor, target: int) -> Tensor:
    """By how much the log-odds of ``target`` fall when one word is gone. # shape: x (n, D) -> (n,)"""
    n, total = len(x), x.sum(0, keepdim=True)
    logits = network.dense(torch.cat([total / n, (total - x) / max(n - 1, 1)]))
    odds = logits[:, target] - logits[:, 1 - target]
    return odds[0] - odds[1:]
