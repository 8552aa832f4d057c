"""A small convolutional network for small images, trained here."""

from functools import partial

import torch
from torch import Tensor, nn

from experiments.configs.base import require
from experiments.configs.models import CNNConfig
from experiments.data import Data
from experiments.models.base import Subject, images_needed, on_data
from experiments.models.layers import Residual, convolution
from experiments.models.training import check_training, trained


class CNN(nn.Module):
    """Convolutions with batch norm around one residual block, average pooling to 2×2 and a dense layer."""

    def __init__(self, channels: int, classes: int, inputs: int = 1):
        super().__init__()
        self.stem = nn.Sequential(*convolution(inputs, channels), nn.ReLU())
        self.block = Residual(channels)
        self.head = nn.Sequential(*convolution(channels, 2 * channels, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.classifier = nn.Linear(2 * channels * 4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.head(self.block(self.stem(x))), 1))


def check(config: CNNConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    check_training(config, key)
    require(config.channels >= 1, f"{key}.channels", "at least 1", config.channels)


def fits(config: CNNConfig, data: Data) -> str:
    """What data the network needs; empty where these fit."""
    return images_needed(data, smallest=3)


def subject(config: CNNConfig, data: Data) -> Subject:
    """A CNN for the data's classes."""
    build = partial(CNN, config.channels, data.classes, data.train_x.shape[1])
    return on_data(trained(build, config, data), data)
