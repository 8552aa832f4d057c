"""Schemas of the questions about roots and balances."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING

from experiments.configs.base import Bias, QuestionConfig


class Weights(Enum):
    """A model's own weights, or random ones in their place."""

    own = "own"
    random = "random"


class Explained(Enum):
    """What the initial relevance is: the predicted class, or every output."""

    predicted = "predicted"
    outputs = "outputs"


@dataclass
class ValidityConfig(QuestionConfig):
    """Are the root points roots, and in the domain?"""

    samples: int = MISSING
    weights: list[Weights] = MISSING
    explained: Explained = MISSING
    units: int | None = None


@dataclass
class ConservationConfig(QuestionConfig):
    """What becomes of the explained output, layer by layer? ``biases: null`` leaves each plan its own mode."""

    samples: int = MISSING
    biases: list[Bias] | None = None
