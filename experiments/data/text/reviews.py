"""Reviews as a data set: split, encoded, and with their texts kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from dtd.domain import Real
from experiments.configs.base import ConfigError, require
from experiments.configs.data import ReviewsConfig
from experiments.data.base import Data
from experiments.data.text.vocabulary import PADDING, Vocabulary, glove
from experiments.data.text.words import Word, words


@dataclass(frozen=True)
class Labelled:
    """A review, 1 for a positive one and 0 for a negative, and its part where the source has its own split."""

    text: str
    label: int
    part: str | None = None


@dataclass(frozen=True)
class Text:
    """A text as the network reads it: its first words, and how many more there are."""

    words: Sequence[Word]
    unread: int = 0


@dataclass(frozen=True, eq=False)
class Reviews(Data):
    """A data set of texts. # shape: x (N, T) rows of the vocabulary, PADDING behind the last word"""

    train_texts: Sequence[Text]
    test_texts: Sequence[Text]
    vocabulary: Vocabulary
    max_words: int

    def encoded(self, text: Text) -> Tensor:
        """A text's rows of the vocabulary. # shape: (words,)"""
        return self.vocabulary.encoded(text.words)


def read(text: str, max_words: int) -> Text:
    """The first ``max_words`` words of a text."""
    found = list(words(text))
    return Text(found[:max_words], max(0, len(found) - max_words))


def reviews(labelled: Sequence[Labelled], config: ReviewsConfig) -> Reviews:
    """The data set; a review that is there twice counts once, so that none is in both parts.

    Words come from the vectors' file and from the training texts, never from the test texts.
    """
    require(0 < config.test_fraction < 1, "data.test_fraction", "between 0 and 1", config.test_fraction)
    require(config.max_words >= 1, "data.max_words", "at least 1", config.max_words)
    require(config.min_texts >= 1, "data.min_texts", "at least 1", config.min_texts)
    train, test = split(unique(labelled), config.test_fraction, config.seed)
    if not train or not test:
        raise ConfigError(f"Training and test need a review each; found {len(train)} and {len(test)}.")
    texts = [[read(review.text, config.max_words) for review in part] for part in (train, test)]
    vocabulary = glove(config.vectors).extended((text.words for text in texts[0]), config.min_texts)
    x = [
        pad_sequence([vocabulary.encoded(t.words) for t in part], batch_first=True, padding_value=PADDING) for part in texts
    ]
    y = [torch.tensor([review.label for review in part]) for part in (train, test)]
    return Reviews(x[0], y[0], x[1], y[1], Real(), 2, texts[0], texts[1], vocabulary, config.max_words)


def unique(labelled: Sequence[Labelled]) -> list[Labelled]:
    """The first of each set of reviews with the same letters and digits."""
    first: dict[str, Labelled] = {}
    for review in labelled:
        first.setdefault(re.sub(r"[\W_]+", "", review.text).lower(), review)
    return list(first.values())


def split(labelled: Sequence[Labelled], test_fraction: float, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """The source's own parts; where it has none, a random split that keeps the classes' shares."""
    if any(review.part for review in labelled):
        return tuple([review for review in labelled if review.part == part] for part in ("train", "test"))
    sides = [review.label for review in labelled]
    try:
        return tuple(train_test_split(labelled, test_size=test_fraction, random_state=seed, stratify=sides))
    except ValueError as error:
        found = f"{sides.count(1)} positive and {sides.count(0)} negative ones"
        wanted = f"enough different reviews of each side for both parts ('data.test_fraction' is {test_fraction})"
        raise ConfigError(f"'data' must hold {wanted}; found {found}.") from error
