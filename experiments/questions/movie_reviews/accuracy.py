"""How good the network is, beside a bag of words."""

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from experiments.data.text.reviews import Reviews, Text

BATCH = 256


def accuracies(network: nn.Module, reviews: Reviews) -> pd.DataFrame:
    """The network and a logistic regression on which words a text holds, both trained on the same texts.

    Columns: ``classifier``, ``part``, ``texts``, ``accuracy`` and its standard error ``se``.
    """
    bag = CountVectorizer(analyzer=keys, binary=True)
    counted = {"train": bag.fit_transform(reviews.train_texts), "test": bag.transform(reviews.test_texts)}
    regression = LogisticRegression(max_iter=1000).fit(counted["train"], reviews.train_y)
    rows = []
    for part, x, y in (("train", reviews.train_x, reviews.train_y), ("test", reviews.test_x, reviews.test_y)):
        answers = {"network": answered(network, x), "bag of words": regression.predict(counted[part])}
        for name, answer in answers.items():
            share = np.mean(answer == y.numpy())
            se = np.sqrt(share * (1 - share) / len(y))
            rows.append({"classifier": name, "part": part, "texts": len(y), "accuracy": share, "se": se})
    return pd.DataFrame(rows)


@torch.no_grad()
def answered(network: nn.Module, x: Tensor) -> np.ndarray:
    """The network's classes. # shape: (N, T) -> (N,)"""
    return torch.cat([network(part).argmax(1) for part in x.split(BATCH)]).numpy()


def keys(text: Text) -> list[str]:
    """What a bag of words counts."""
    return [word.key for word in text.words]
