"""ResNet-18 with random weights, on random images: what costs are measured on."""

import torch
from torch import Tensor, nn

from dtd.domain import Box
from experiments.configs.base import require
from experiments.configs.models import ResNet18Config
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject
from experiments.models.layers import Add, convolution, randomise


class Block(nn.Module):
    """``relu(shortcut(x) + body(x))``; the shortcut is a 1×1 convolution where the shape changes."""

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(*convolution(before, after, stride), nn.ReLU(), *convolution(after, after))
        same = before == after and stride == 1
        projection = [] if same else [nn.Conv2d(before, after, 1, stride), nn.BatchNorm2d(after)]
        self.shortcut = nn.Sequential(*projection) if projection else None
        self.add, self.relu = Add(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        passed = x if self.shortcut is None else self.shortcut(x)
        return self.relu(self.add(passed, self.body(x)))


class ResNet18(nn.Module):
    """ResNet-18 (He 2016, Table 1)."""

    def __init__(self, classes: int):
        super().__init__()
        stem = [nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
        blocks = [Block(*width) for width in (*widths, (512, 512, 1))]
        self.features = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1))
        self.classifier = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


def check(config: ResNet18Config, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    require(config.size >= 32, f"{key}.size", "at least 32 pixels", config.size)
    require(config.classes >= 1, f"{key}.classes", "at least 1", config.classes)


def subject(config: ResNet18Config, data: Data) -> Subject:
    """A random ResNet-18; the data set is not used."""
    with seeded(config.seed):
        model = ResNet18(config.classes).eval()
        randomise(model)
        images = torch.rand(2, 3, config.size, config.size)
    return Subject(model, Box(0.0, 1.0), images, images, None)
