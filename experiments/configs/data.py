"""Schemas of ``conf/data``; the data set of option NAME is loaded by ``experiments/data/NAME.py``."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class DataConfig:
    """Any data set."""


@dataclass
class DigitsConfig(DataConfig):
    """scikit-learn's 8×8 digits."""

    test_fraction: float = 0.25
    seed: int = MISSING


@dataclass
class ReviewsConfig(DataConfig):
    """Texts with words that have vectors: the file's, and zero vectors for further words of ``min_texts`` training texts."""

    test_fraction: float = MISSING
    seed: int = MISSING
    vectors: str | None = None
    min_texts: int = MISSING
    max_words: int = MISSING


@dataclass
class SentencesConfig(ReviewsConfig):
    """Sentences of movie reviews, from a package."""


@dataclass
class ImdbConfig(ReviewsConfig):
    """IMDB's reviews, from a path."""

    path: str = MISSING


DATA = {"digits": DigitsConfig, "sentences": SentencesConfig, "imdb": ImdbConfig}
