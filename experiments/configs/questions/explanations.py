"""Schemas of the questions about whole explanations: do they agree, are they faithful, what do they look like?"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from experiments.configs.base import Bias, Dtype, QuestionConfig


@dataclass
class CorrespondenceConfig(QuestionConfig):
    """Do derived and explicit rules agree? ``rules: null`` means every rule of the catalogue."""

    rules: list[str] | None = None
    biases: list[Bias] = field(default_factory=lambda: list(Bias))
    dtypes: list[Dtype] = field(default_factory=lambda: [Dtype.float64, Dtype.float32])
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    samples: int = MISSING
    shown: int = MISSING


class Score(Enum):
    """What a perturbation may lower."""

    logit = "logit"
    probability = "probability"


@dataclass
class FaithfulnessConfig(QuestionConfig):
    """Does the output depend on what an explanation calls relevant?"""

    samples: int = MISSING
    region: int = MISSING
    steps: int | None = None
    share: float = MISSING
    values: list[Any] = MISSING
    score: Score = MISSING
    random_orders: int = MISSING
    quantus: list[str] = MISSING


class Cascade(Enum):
    """The order in which layers lose their weights."""

    output = "output"
    input = "input"
    each = "each"


class Starts(Enum):
    """Which initial relevances are followed down."""

    classes = "classes"
    normal = "normal"


@dataclass
class SanityConfig(QuestionConfig):
    """Does an explanation depend on the model's weights, and on the class that it explains?"""

    samples: int = MISSING
    orders: list[Cascade] = MISSING
    draws: int = MISSING
    similarities: list[str] = MISSING
    starts: Starts = MISSING
    directions: int = MISSING


@dataclass
class HeatmapsConfig(QuestionConfig):
    """What do plans make of the same samples? ``chosen``: these of the test set in place of its first ``samples``.

    ``through`` says by layer what relevance goes through: channels, or the ``size`` of a subspace that PRCA finds for the
    samples (with ``parts``: the first one of DRSA).
    """

    samples: int = MISSING
    chosen: list[int] | None = None
    explicit: bool = MISSING
    units: int | None = None
    through: dict[str, Any] = field(default_factory=dict)


@dataclass
class OwnQuestionConfig(QuestionConfig):
    """A question of your own: a function that makes a ``Question``, by ``_target_``, and the ``arguments`` that it reads."""

    _target_: str = MISSING
    arguments: dict[str, Any] = field(default_factory=dict)
    trusted: list[str] = field(default_factory=list)


@dataclass
class ConceptsConfig(QuestionConfig):
    """Which channels of a hidden layer does a class rest on, and what does each look for?

    ``layer: null`` means the last layer that rectifies. ``explained`` is the class that is drawn.
    """

    layer: str | None = None
    samples: int = MISSING
    explained: int = MISSING
    shown: int = MISSING
    examples: int = MISSING


@dataclass
class MovieReviewsConfig(QuestionConfig):
    """Which words of a review speak for its class, and does the network listen to them?"""

    text: str | None = None
    reviews: int = MISSING
    compared: int = MISSING
    audited: int = MISSING
    shown: list[int] = MISSING
    steps: int = MISSING
    draws: int = MISSING


@dataclass
class SimilarityConfig(QuestionConfig):
    """Which patches make two images alike?"""

    pairs: int = MISSING
    shown: int = MISSING
    patch: list[int] = MISSING
    lines: int = MISSING
    cosine: bool = MISSING


@dataclass
class WalksConfig(QuestionConfig):
    """Does relevance of walks find a planted motif?"""

    graphs: int = MISSING
    base: int = MISSING
    rounds: int = MISSING
    hidden: int = MISSING
    epochs: int = MISSING
    explained: int = MISSING
    sets: int = MISSING
    shown: int = MISSING
    lines: int = MISSING


class Pooling(Enum):
    """What max pooling hands its relevance to: the winner, or all inputs as average pooling does."""

    winner = "winner"
    average = "average"


@dataclass
class CastleConfig(QuestionConfig):
    """Why does a classifier of photos say what it says? The rules of the LRP overview on one output neuron.

    ``class_name: null`` means the predicted class. With ``epsilons`` and ``gammas`` the composite is drawn for each pair of
    them, otherwise the uniform rules and the composite with ``epsilon`` and ``gamma``.
    """

    class_name: str | None = None
    epsilon: float = MISSING
    gamma: float = MISSING
    epsilons: list[float] = field(default_factory=list)
    gammas: list[float] = field(default_factory=list)
    bias_mode: Bias = MISSING
    pooling: list[Pooling] = MISSING
    units: int = MISSING
    untrained: bool = False
