"""Radial basis functions between the pixels and the classes: a layer that no rule is written for."""

from functools import partial

import torch
from torch import Tensor, nn

from experiments.configs.models import RadialConfig
from experiments.data import Data
from experiments.models.base import Subject, labels_needed, on_data
from experiments.models.training import trained


class RadialBasis(nn.Module):
    """``y_k = exp(−‖x − c_k‖² / 2 s_k²)``."""

    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.centres = nn.Parameter(torch.rand(units, inputs))
        self.log_width = nn.Parameter(torch.full((units,), 0.5 * inputs**0.5).log() / 2)

    def forward(self, x: Tensor) -> Tensor:
        distance = (x[:, None] - self.centres).square().sum(-1)
        return torch.exp(-distance / (2 * self.log_width.exp().square()))


class Radial(nn.Module):
    """Radial basis functions and a dense layer, on flattened inputs."""

    def __init__(self, inputs: int, units: int, classes: int):
        super().__init__()
        self.basis, self.classifier = RadialBasis(inputs, units), nn.Linear(units, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.basis(torch.flatten(x, 1)))


def fits(config: RadialConfig, data: Data) -> str:
    """What data the network needs; empty where these fit."""
    return labels_needed(data)


def subject(config: RadialConfig, data: Data) -> Subject:
    """A radial network for the data's classes."""
    return on_data(trained(partial(Radial, data.train_x[0].numel(), config.units, data.classes), config, data), data)
