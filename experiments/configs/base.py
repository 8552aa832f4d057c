"""What every schema uses: choices, and the error of a config that no run can start from."""

from dataclasses import dataclass
from enum import Enum

import torch
from omegaconf import MISSING


class ConfigError(Exception):
    """A config that no run can start from: says which key, what was found and what is valid."""


class Bias(Enum):
    """What a bias is to a rule."""

    fixed = "fixed"
    neuron = "neuron"
    distribute = "distribute"


class Dtype(Enum):
    """The precision that relevance is computed in."""

    float32 = "float32"
    float64 = "float64"

    @property
    def torch(self) -> torch.dtype:
        """The precision as torch names it."""
        return getattr(torch, self.value)


class Root(Enum):
    """Where a whole plan's roots are, in place of each rule's own: also behind the data point, or nearest in the domain."""

    line = "line"
    nearest = "nearest"


@dataclass
class ModelConfig:
    """Any model."""


@dataclass
class TrainedConfig(ModelConfig):
    """A model that is trained here, once, with Adam."""

    epochs: int = MISSING
    batch: int = MISSING
    learning_rate: float = MISSING
    weight_decay: float = MISSING
    seed: int = MISSING


@dataclass
class QuestionConfig:
    """Any question."""


def require(holds: bool, key: str, required: str, found: object) -> None:
    """Raise :class:`ConfigError` for a value that a run cannot work with."""
    if not holds:
        raise ConfigError(f"'{key}' must be {required}; found {found}.")
