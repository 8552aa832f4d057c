"""Two layers of detectors whose sum says how much of a class there is: the kind of network of Montavon 2017, Sec. 5."""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.configs.base import require
from experiments.configs.models import DetectorConfig
from experiments.data import Data
from experiments.models.base import Subject, on_data
from experiments.models.training import trained

THRESHOLD = 10.0  # the score of absence; presence has to detect more


class Detecting(nn.Linear):
    """A dense layer whose biases ``−|b|`` are never positive."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, -self.bias.abs())


class Detector(nn.Module):
    """``f(x) = Σ_k x_k`` over the last detectors, beside the constant score of absence: outputs (absent, present)."""

    def __init__(self, sizes: list[int]):
        super().__init__()
        self.layers = nn.ModuleList(Detecting(before, after) for before, after in pairwise(sizes))
        self.register_buffer("absent", torch.full((1, 1), THRESHOLD))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.flatten(x, 1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        found = x.sum(1, keepdim=True)
        return torch.cat([found * 0 + self.absent, found], 1)


def check(config: DetectorConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    require(len(config.hidden) >= 1 and min(config.hidden) >= 1, f"{key}.hidden", "positive sizes", config.hidden)


def subject(config: DetectorConfig, data: Data) -> Subject:
    """A detector on the data's samples; class 1 is presence."""
    sizes = [data.train_x[0].numel(), *config.hidden]
    return on_data(trained(partial(Detector, sizes), config, data), data)
