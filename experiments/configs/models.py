"""Schemas of ``conf/model``; the model of option NAME is made by ``experiments/models/NAME.py``."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from experiments.configs.base import ModelConfig, TrainedConfig
from experiments.configs.sequences import SequenceConfig


@dataclass
class MLPConfig(TrainedConfig):
    """A ReLU network with dense layers."""

    hidden: list[int] = MISSING


@dataclass
class DetectorConfig(TrainedConfig):
    """Two layers of detectors and their sum, with biases that are never positive."""

    hidden: list[int] = MISSING


@dataclass
class RadialConfig(TrainedConfig):
    """Radial basis functions and a dense layer."""

    units: int = MISSING


@dataclass
class CNNConfig(TrainedConfig):
    """A small convolutional network with batch norm and one residual block."""

    channels: int = MISSING


@dataclass
class ReviewNetworkConfig(TrainedConfig):
    """The mean of a review's word vectors, then dense layers; ``tuned`` lets training move the vectors."""

    hidden: list[int] = MISSING
    tuned: bool = MISSING
    dropout: float = MISSING
    word_dropout: float = MISSING


@dataclass
class ResNetConfig(TrainedConfig):
    """A small residual network: three stages, each with half the resolution and twice the channels of the one before."""

    channels: int = MISSING
    blocks: int = MISSING


@dataclass
class OwnConfig(TrainedConfig):
    """A model of your own: a class or function by ``_target_``, called with ``arguments``.

    ``weights``: a file of its parameters. Without one it is trained here, or has random weights where ``epochs`` is 0.
    """

    _target_: str = MISSING
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    trusted: list[str] = field(default_factory=list)


class Library(Enum):
    """Libraries of architectures."""

    torchvision = "torchvision"
    timm = "timm"


@dataclass
class ArchitectureConfig(ModelConfig):
    """An architecture of torchvision or timm; its parameters come from the file ``weights``, or are random."""

    library: Library = MISSING
    architecture: str = MISSING
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    seed: int = MISSING


class Biases(Enum):
    """Signs of biases."""

    nonpositive = "nonpositive"
    nonnegative = "nonnegative"
    both = "both"
    zero = "zero"


@dataclass
class SyntheticConfig(ModelConfig):
    """A random dense network, ReLUs after every layer: ``w ~ N(0, gain/fan_in)``, ``|b| ~ U(0, largest)``."""

    widths: list[int] = MISSING
    gain: float = MISSING
    biases: Biases = MISSING
    largest: float = MISSING
    seed: int = MISSING


@dataclass
class VGG16Config(ModelConfig):
    """VGG-16 on photos; ``weights: null`` means random ones, and random images in place of the data."""

    weights: str | None = None
    size: int = MISSING
    classes: int = MISSING
    seed: int = MISSING


@dataclass
class ResNet18Config(ModelConfig):
    """ResNet-18 with random weights, on random images."""

    size: int = MISSING
    classes: int = MISSING
    seed: int = MISSING


@dataclass
class SqueezeNetConfig(ModelConfig):
    """SqueezeNet 1.1 on photos; ``weights: null`` means random ones."""

    weights: str | None = None
    size: int = MISSING
    seed: int = MISSING


@dataclass
class EfficientNetLite0Config(ModelConfig):
    """EfficientNet-Lite0 on photos; ``weights: null`` means those of its package."""

    weights: str | None = None


@dataclass
class MiniLMConfig(TrainedConfig):
    """A pretrained BERT with a head for two classes; training moves the head and the ``tuned`` last layers.

    ``path: null`` means all-MiniLM-L6-v2 from its package; otherwise a folder with a BERT of transformers.
    """

    path: str | None = None
    tuned: int = MISSING
    dropout: float = MISSING
    max_tokens: int = MISSING


@dataclass
class SmolLM2Config(ModelConfig):
    """SmolLM2-135M-Instruct from its package; ``path``: another causal model, a folder of transformers or a GGUF file."""

    path: str | None = None


@dataclass
class SeveralConfig(ModelConfig):
    """Several models side by side."""

    parts: dict[str, ModelConfig] = field(default_factory=dict)


MODELS = {
    "architecture": ArchitectureConfig,
    "cnn": CNNConfig,
    "detector": DetectorConfig,
    "efficientnet_lite0": EfficientNetLite0Config,
    "minilm": MiniLMConfig,
    "mlp": MLPConfig,
    "own": OwnConfig,
    "radial": RadialConfig,
    "resnet": ResNetConfig,
    "reviews": ReviewNetworkConfig,
    "sequence": SequenceConfig,
    "several": SeveralConfig,
    "smollm2": SmolLM2Config,
    "squeezenet": SqueezeNetConfig,
    "synthetic": SyntheticConfig,
    "resnet18": ResNet18Config,
    "vgg16": VGG16Config,
}
