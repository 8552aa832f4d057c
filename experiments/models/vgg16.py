"""VGG-16 with weights from a file, or with random ones."""

import torch
from torch import Tensor, nn

from dtd.domain import Box
from experiments.configs.base import require
from experiments.configs.models import VGG16Config
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject
from experiments.models.layers import randomise
from experiments.models.photos import TORCHVISION
from experiments.models.weights import check_file, load_weights

CHANNELS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")


class VGG16(nn.Module):
    """VGG-16 (Simonyan 2015, configuration D) with torchvision's layers and parameter names; no in-place ReLU."""

    def __init__(self, classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in CHANNELS:
            if channels == "pool":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        hidden = 4096
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def check(config: VGG16Config, key: str) -> None:
    """Raises :class:`ConfigError` for a network that there cannot be."""
    require(config.size >= 32, f"{key}.size", "at least 32 pixels", config.size)
    require(config.classes >= 1, f"{key}.classes", "at least 1", config.classes)
    check_file(config.weights, f"{key}.weights")


def subject(config: VGG16Config, data: Data) -> Subject:
    """VGG-16 on photos; without weights, random ones on random images, and the data set is not used."""
    if config.weights is not None:
        model = VGG16(config.classes).eval()
        load_weights(model, config.weights)
        return Subject(model, TORCHVISION.domain, *TORCHVISION.inputs(data, config.size), None)
    with seeded(config.seed):
        model = VGG16(config.classes).eval()
        randomise(model)
        images = torch.rand(2, 3, config.size, config.size)
    return Subject(model, Box(0.0, 1.0), images, images, None)
