"""SqueezeNet 1.1 with weights from a file, or with random ones."""

import torch
from torch import Tensor, nn

from experiments.configs.base import require
from experiments.configs.models import SqueezeNetConfig
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject
from experiments.models.layers import randomise
from experiments.models.photos import TORCHVISION
from experiments.models.weights import check_file, load_weights

CLASSES = 1000  # of ImageNet
FIRES = (
    (64, 16),
    (128, 16),
    "pool",
    (128, 32),
    (256, 32),
    "pool",
    (256, 48),
    (384, 48),
    (384, 64),
    (512, 64),
)  # in, squeezed


class Fire(nn.Module):
    """A 1×1 convolution to few channels, then 1×1 and 3×3 convolutions to four times as many each, side by side."""

    def __init__(self, before: int, squeezed: int):
        super().__init__()
        self.squeeze, self.squeeze_activation = nn.Conv2d(before, squeezed, 1), nn.ReLU()
        self.expand1x1, self.expand1x1_activation = nn.Conv2d(squeezed, 4 * squeezed, 1), nn.ReLU()
        self.expand3x3, self.expand3x3_activation = nn.Conv2d(squeezed, 4 * squeezed, 3, padding=1), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        parts = self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))
        return torch.cat(parts, 1)


def pool() -> nn.MaxPool2d:
    """Overlapping windows; the last ones may reach over the edge."""
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1 (Iandola 2016) with torchvision's layers and parameter names; no in-place ReLU."""

    def __init__(self, classes: int):
        super().__init__()
        fires = [pool() if fire == "pool" else Fire(*fire) for fire in FIRES]
        self.features = nn.Sequential(nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), pool(), *fires)
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(512, classes, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.classifier(self.features(x)), 1)


def check(config: SqueezeNetConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a size or a file that there cannot be."""
    require(config.size >= 32, f"{key}.size", "at least 32 pixels", config.size)
    check_file(config.weights, f"{key}.weights")


def subject(config: SqueezeNetConfig, data: Data) -> Subject:
    """SqueezeNet on photos."""
    with seeded(config.seed):
        model = SqueezeNet(CLASSES).eval()
        if config.weights is None:
            randomise(model)
    if config.weights is not None:
        load_weights(model, config.weights)
    return Subject(model, TORCHVISION.domain, *TORCHVISION.inputs(data, config.size), None)
