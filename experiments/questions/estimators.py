"""What the questions about scikit-learn's estimators share: tables, and how fast a score falls."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

TABLES = ("plane", "wine", "digits", "breast_cancer", "diabetes")


def table(name: str, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows, labels or targets, and the names of the columns; ``plane`` is three clouds of different widths."""
    if name == "plane":
        rows, labels = datasets.make_blobs(
            240, centers=[[-2.5, 0.0], [2.0, 2.0], [1.5, -2.5]], cluster_std=[0.5, 0.9, 0.7], random_state=seed
        )
        return rows, labels, ["x", "y"]
    found = getattr(datasets, f"load_{name}")()
    return found.data, found.target, [str(column) for column in found.feature_names]


def fall(score: Callable[[Tensor], Tensor], x: Tensor, order: Tensor, blank: Tensor) -> Tensor:
    """The mean fall of a score while the first half of the columns of an order are blanked, as a share of ``mean |score|``.

    # shape: score: (B, J) -> (B,), order (B, J), blank (J,) -> (B,)
    """
    start, gone = score(x), x.clone()
    steps = max(1, x.shape[1] // 2)
    lost = torch.zeros_like(start)
    for k in range(steps):
        at = order[:, k : k + 1]
        gone = gone.scatter(1, at, blank[at])
        lost = lost + (start - score(gone)) / start.abs().mean()
    return lost / steps


def random_orders(x: Tensor, seed: int) -> Tensor:
    """An order of the columns for each sample, at random. # shape: that of x"""
    return torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).argsort(1)


def alike(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of the angle between the relevances of each sample; 0 where one of them is 0. # shape: (B, J) -> (B,)"""
    return torch.nn.functional.cosine_similarity(a, b, dim=1)
