"""Schemas of ``conf/question``; the question of option NAME is asked by ``experiments/questions/NAME.py``."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from experiments.configs.base import Bias, Dtype


@dataclass
class QuestionConfig:
    """Any question."""


@dataclass
class CorrespondenceConfig(QuestionConfig):
    """Do derived and explicit rules agree? ``rules: null`` means every rule of the catalogue."""

    rules: list[str] | None = None
    biases: list[Bias] = field(default_factory=lambda: list(Bias))
    dtypes: list[Dtype] = field(default_factory=lambda: [Dtype.float64, Dtype.float32])
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    samples: int = MISSING
    shown: int = MISSING


@dataclass
class CostConfig(QuestionConfig):
    """What does an explanation cost, next to gradient × input and to other libraries?"""

    rounds: int = MISSING
    seconds: float = MISSING
    peers: list[str] = MISSING


class Plane(Enum):
    """The domain of the unit's two inputs."""

    real = "real"
    nonnegative = "nonnegative"
    box = "box"


@dataclass
class FunctionViewConfig(QuestionConfig):
    """Where does each rule put the root of one unit with two inputs, and how does relevance flow through a network?"""

    weights: list[float] = MISSING
    bias: float = MISSING
    point: list[float] = MISSING
    domain: Plane = MISSING
    low: float = MISSING
    high: float = MISSING
    rules: list[str] = MISSING
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    sample: int = MISSING


QUESTIONS = {
    "correspondence": CorrespondenceConfig,
    "cost": CostConfig,
    "function_view": FunctionViewConfig,
}
