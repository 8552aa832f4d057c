"""Random dense networks, whose biases have the signs that a question is about."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from experiments.configs.base import require
from experiments.configs.models import Biases, SyntheticConfig
from experiments.data import Data
from experiments.machine.streams import generator
from experiments.models.base import Subject, on_data

SIGNS: Mapping[Biases, Callable[[Tensor], Tensor]] = {
    Biases.nonpositive: lambda sign: -torch.ones_like(sign),
    Biases.nonnegative: torch.ones_like,
    Biases.both: torch.sign,
    Biases.zero: torch.zeros_like,
}


class Synthetic(nn.Module):
    """Dense layers with a ReLU after each, the last one included; on flattened inputs."""

    def __init__(self, sizes: list[int]):
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))


def check(config: SyntheticConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    require(bool(config.widths) and min(config.widths) >= 1, f"{key}.widths", "positive widths", config.widths)
    require(config.gain > 0, f"{key}.gain", "positive", config.gain)
    require(config.largest >= 0, f"{key}.largest", "at least 0", config.largest)


def subject(config: SyntheticConfig, data: Data) -> Subject:
    """Weights ``N(0, gain/fan_in)`` and biases of uniform size, drawn from the seed alone."""
    model = Synthetic([data.train_x[0].numel(), *config.widths]).eval()
    random = generator(config.seed, "synthetic")
    with torch.no_grad():
        for layer in model.layers[::2]:
            layer.weight.normal_(0, (config.gain / layer.in_features) ** 0.5, generator=random)
            sizes = torch.rand(layer.bias.shape, generator=random) * config.largest
            signs = SIGNS[config.biases](torch.rand(layer.bias.shape, generator=random) - 0.5)
            layer.bias.copy_(sizes * signs)
    return on_data(model, data)
