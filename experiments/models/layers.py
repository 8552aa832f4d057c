"""Blocks that several families are made of."""

import torch
from torch import Tensor, nn


class Add(nn.Module):
    """``x + y`` as a module, which libraries that work with hooks need; dtd would see a plain ``+`` as well."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


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


@torch.no_grad()
def randomise(model: nn.Module) -> None:
    """He-normal weights, so that activations keep their scale with depth, and small biases of either sign."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
