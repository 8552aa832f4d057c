"""A small convolutional network for small images, trained here."""

from functools import partial

import torch
from torch import Tensor, nn

from experiments.configs import CNNConfig
from experiments.data import Data
from experiments.models.base import Subject, on_data
from experiments.models.layers import Residual, convolution
from experiments.training import trained


class CNN(nn.Module):
    """Convolutions with batch norm around one residual block, average pooling and a dense layer; for 8×8 images."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.stem = nn.Sequential(*convolution(1, channels), nn.ReLU())
        self.block = Residual(channels)
        self.head = nn.Sequential(*convolution(channels, 2 * channels, stride=2), nn.ReLU(), nn.AvgPool2d(2))
        self.classifier = nn.Linear(2 * channels * 4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.head(self.block(self.stem(x))), 1))


def subject(config: CNNConfig, data: Data) -> Subject:
    """A CNN for the data's classes."""
    return on_data(trained(partial(CNN, config.channels, data.classes), config, data), data)
