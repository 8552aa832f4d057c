"""The typed configuration: a wrong key, type or choice fails before any work.

Each class is the schema of one option of a config group under ``conf/``. A run works on these dataclasses, never on
raw config nodes.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf


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


@dataclass
class DataConfig:
    """Any data set."""


@dataclass
class DigitsConfig(DataConfig):
    """scikit-learn's 8×8 digits."""

    test_fraction: float = 0.25
    seed: int = MISSING


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
class MLPConfig(TrainedConfig):
    """A ReLU network with dense layers."""

    hidden: list[int] = MISSING


@dataclass
class CNNConfig(TrainedConfig):
    """A small convolutional network with batch norm and one residual block."""

    channels: int = MISSING


@dataclass
class VGG16Config(ModelConfig):
    """VGG-16 with random weights, on random images."""

    size: int = MISSING
    classes: int = MISSING
    seed: int = MISSING


@dataclass
class SeveralConfig(ModelConfig):
    """Several models side by side."""

    parts: dict[str, ModelConfig] = field(default_factory=dict)


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
    bias_mode: Bias = MISSING
    domain: Plane = MISSING
    low: float = MISSING
    high: float = MISSING
    rules: list[str] = MISSING
    parameters: dict[str, dict[str, float]] = field(default_factory=dict)
    sample: int = MISSING


@dataclass
class Config:
    """One run."""

    question: QuestionConfig = MISSING
    data: DataConfig = MISSING
    model: ModelConfig = MISSING
    seed: int = 0
    threads: int | None = None


SCHEMAS = {
    "data": {"digits": DigitsConfig},
    "model": {"mlp": MLPConfig, "cnn": CNNConfig, "vgg16": VGG16Config, "several": SeveralConfig},
    "question": {"correspondence": CorrespondenceConfig, "cost": CostConfig, "function_view": FunctionViewConfig},
}


def register() -> None:
    """Make the schemas known to Hydra, as ``/schema`` and ``/schema/<group>/<option>``."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for group, options in SCHEMAS.items():
        for name, node in options.items():
            store.store(group=f"schema/{group}", name=name, node=node)


def typed(config: DictConfig) -> Config:
    """The run's dataclasses; raises :class:`ConfigError` for a key that was forced in with ``+``."""
    made = OmegaConf.to_object(config)
    check_keys(config, made, "")
    return made


def check_keys(node: Any, made: Any, path: str) -> None:
    """Every key of the config must be a field of its schema."""
    if is_dataclass(made):
        valid = [f.name for f in fields(made)]
        for key in node:
            if key not in valid:
                raise ConfigError(f"No key '{path}{key}'; the valid keys there are {', '.join(valid)}.")
            check_keys(node[key], getattr(made, key), f"{path}{key}.")
    elif isinstance(made, dict):
        for key in made:
            check_keys(node[key], made[key], f"{path}{key}.")


def require(holds: bool, key: str, required: str, found: object) -> None:
    """Raise :class:`ConfigError` for a value that a question cannot work with."""
    if not holds:
        raise ConfigError(f"'{key}' must be {required}; found {found}.")
