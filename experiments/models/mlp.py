"""Dense networks, trained here."""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from experiments.configs.base import require
from experiments.configs.models import MLPConfig
from experiments.data import Data
from experiments.models.base import Subject, labels_needed, on_data
from experiments.models.training import check_training, trained


class MLP(nn.Module):
    """Dense layers with ReLUs between them, on flattened inputs."""

    def __init__(self, sizes: list[int]):
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(torch.flatten(x, 1))


def check(config: MLPConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    check_training(config, key)
    require(min(config.hidden, default=1) >= 1, f"{key}.hidden", "positive widths", config.hidden)


def fits(config: MLPConfig, data: Data) -> str:
    """What data the network needs; empty where these fit."""
    return labels_needed(data)


def subject(config: MLPConfig, data: Data) -> Subject:
    """An MLP between the sizes of the data's samples and classes."""
    sizes = [data.train_x[0].numel(), *config.hidden, data.classes]
    return on_data(trained(partial(MLP, sizes), config, data), data)
