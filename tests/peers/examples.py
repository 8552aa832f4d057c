"""The fixed seeded networks on which the differences between the libraries are measured."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.peers.libraries import captum_modules, zennit_layers
from tests.peers.networks import Stacked, fill, random


def layer(signs: str, outputs: int = 0, bias: bool = True) -> tuple[nn.Sequential, Tensor]:
    """One dense layer, and four inputs of which sample k explains output k.

    ``outputs`` (+1 or −1) is the sign of the explained outputs: units of the other sign have weight and bias reversed.
    """
    model = fill(nn.Sequential(nn.Linear(6, 4, bias=bias)), 10)
    x = random((4, 6), 11)
    x = x.abs() if signs == "nonnegative" else x
    if outputs:
        with torch.no_grad():
            turn = outputs * model(x).diagonal().sign()
            for parameter in model.parameters():
                parameter.mul_(turn.view(-1, *[1] * (parameter.ndim - 1)))
    return model, x


def averaging() -> tuple[nn.Module, Tensor]:
    """Average pooling of inputs of both signs, and a dense layer."""
    return fill(Stacked(nn.AvgPool2d(2), nn.Linear(8, 4)), 12), random((3, 2, 4, 4), 13)


def normalised() -> tuple[nn.Module, Tensor]:
    """A dense layer with batch norm."""
    return fill(Normalised(), 14), random((3, 6), 15)


def one_hot(target: Tensor) -> Callable[[Tensor], Tensor]:
    """The initial relevance of a class: its own output."""
    return lambda output: output * nn.functional.one_hot(target, output.shape[1])


class Normalised(nn.Module):
    """captum knows batch norm on images only, so the features are images of one pixel."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(6, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.layers(x[:, :, None, None]).flatten(1))


class Residual(nn.Module):
    """A residual block whose sum is written as a function, or with zennit's or captum's module for sums."""

    def __init__(self, kind: str):
        super().__init__()
        self.inner, self.relu, self.head = nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)
        self.sum = {"function": None, "zennit": zennit_layers.Sum(), "captum": captum_modules.Addition_Module()}[kind]
        self.kind = kind

    def forward(self, x):
        inner = self.relu(self.inner(x))
        if self.kind == "zennit":
            return self.head(self.sum(torch.stack([inner, x], -1)))
        return self.head(inner + x if self.sum is None else self.sum(inner, x))


class Twice(nn.Module):
    """One dense layer applied two times."""

    def __init__(self):
        super().__init__()
        self.inner, self.relu, self.head = nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.relu(self.inner(self.relu(self.inner(x)))))
