"""Schemas of ``conf/model``; the model of option NAME is made by ``experiments/models/NAME.py``."""

from dataclasses import dataclass, field

from omegaconf import MISSING


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
class ReviewNetworkConfig(TrainedConfig):
    """The mean of a review's word vectors, then dense layers; ``tuned`` lets training move the vectors."""

    hidden: list[int] = MISSING
    tuned: bool = MISSING
    dropout: float = MISSING
    word_dropout: float = MISSING


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


MODELS = {"mlp": MLPConfig, "cnn": CNNConfig, "reviews": ReviewNetworkConfig, "vgg16": VGG16Config, "several": SeveralConfig}
