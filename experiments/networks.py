"""The networks that the experiments explain."""

from itertools import pairwise

import torch
from torch import Tensor, nn

VGG16_CHANNELS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")


class Add(nn.Module):
    """``x + y`` as a module, which libraries that work with hooks need; dtd would see a plain ``+`` as well."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


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


def convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    """A 3×3 convolution with batch norm."""
    return [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.BatchNorm2d(after)]


class Residual(nn.Module):
    """``relu(x + body(x))``."""

    def __init__(self, channels: int):
        super().__init__()
        first, second = convolution(channels, channels), convolution(channels, channels)
        self.body = nn.Sequential(*first, nn.ReLU(), *second)
        self.add = Add()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.add(x, self.body(x)))


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


class VGG16(nn.Module):
    """VGG-16 (Simonyan 2015, configuration D) with torchvision's layers and parameter names; no in-place ReLU."""

    def __init__(self, classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in VGG16_CHANNELS:
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


@torch.no_grad()
def randomise(model: nn.Module) -> None:
    """He-normal weights, so that activations keep their scale with depth, and small biases of either sign."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.normal_(module.bias, std=0.1)
