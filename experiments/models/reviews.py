"""The network that reads reviews, trained here: the mean of the words' vectors, then dense layers with ReLUs."""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.configs.base import require
from experiments.configs.models import ReviewNetworkConfig
from experiments.data.text.reviews import Reviews
from experiments.data.text.vocabulary import PADDING, UNKNOWN
from experiments.models.base import Subject, on_data
from experiments.models.training import trained


class ReviewNetwork(nn.Module):
    """Two logits (negative, positive) from the mean vector of a review's words; without a word, that of no words: 0.

    # shape: ids (B, T), PADDING behind the last word -> (B, 2)
    """

    def __init__(self, vectors: Tensor, hidden: list[int], tuned: bool, dropout: float, word_dropout: float):
        super().__init__()
        self.words = nn.EmbeddingBag.from_pretrained(vectors.clone(), freeze=not tuned, mode="sum", padding_idx=UNKNOWN)
        layers: list[nn.Module] = []
        for before, after in pairwise([vectors.shape[1], *hidden]):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.dense = nn.Sequential(*layers, nn.Linear(hidden[-1], 2))
        self.word_dropout = word_dropout

    def forward(self, ids: Tensor) -> Tensor:
        ids = functional.pad(ids, (0, 1), value=PADDING)  # a batch of texts without a word has a column too
        present = ids != PADDING
        if self.training:
            present = present & (torch.rand(ids.shape, device=ids.device) >= self.word_dropout)
        total = self.words(torch.where(present, ids, UNKNOWN))
        return self.dense(total / present.sum(1, keepdim=True).clamp(min=1))


def subject(config: ReviewNetworkConfig, data: Reviews) -> Subject:
    """A network over the data's vocabulary."""
    require(bool(config.hidden), "model.hidden", "not empty", config.hidden)
    for name in ("dropout", "word_dropout"):
        share = getattr(config, name)
        require(0 <= share < 1, f"model.{name}", "at least 0 and below 1", share)
    shares = config.dropout, config.word_dropout
    build = partial(ReviewNetwork, data.vocabulary.vectors, config.hidden, config.tuned, *shares)
    return on_data(trained(build, config, data), data)
