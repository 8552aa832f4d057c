"""Schemas of the questions about relevance models: training-free, trained, exact and generic."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING

from experiments.configs.base import QuestionConfig


class ExactRoots(Enum):
    """What happens to a root of the exact model when the layer below differentiates."""

    moving = "moving"
    held = "held"
    region = "region"


@dataclass
class ExactConfig(QuestionConfig):
    """How far is the training-free model from the true relevance function, layer by layer?"""

    directions: list[str] = MISSING
    roots: ExactRoots = MISSING
    samples: int = MISSING
    budget: int = MISSING


@dataclass
class MinMaxConfig(QuestionConfig):
    """What does a trained relevance model change, next to the training-free and the exact one?"""

    samples: int = MISSING
    exact: int = MISSING
    shown: list[int] = MISSING
    hidden: int = MISSING
    steps: int = MISSING
    budget: int = MISSING


@dataclass
class GenericConfig(QuestionConfig):
    """What does the generic Taylor model make of layers that no rule is written for?"""

    samples: int = MISSING
    opaque: dict[str, list[str]] = MISSING
    references: list[str] = MISSING
    steps: list[int] = MISSING
