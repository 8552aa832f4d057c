"""Small seeded networks that dtd, zennit and captum can all run: no Flatten modules, no functional sums."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

import dtd

LOW, HIGH = -1.0, 2.0
DOMAINS = {"real": dtd.Real(), "nonnegative": dtd.NonNegative(), "box": dtd.Box(LOW, HIGH)}


class Stacked(nn.Module):
    """Convolutional features, flattened, and a dense head (captum has no rule for ``nn.Flatten``)."""

    def __init__(self, features: nn.Module, head: nn.Module):
        super().__init__()
        self.features, self.head = features, head

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 4))


def mlp_without_bias() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 10, bias=False), nn.ReLU(), nn.Linear(10, 4, bias=False))


def cnn() -> nn.Module:
    """Padding, max pooling, groups with stride, average pooling."""
    features = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2, padding=1, groups=2),
        nn.ReLU(),
        nn.AvgPool2d(2),
    )
    return Stacked(features, nn.Sequential(nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 4)))


def cnn_overlapping() -> nn.Module:
    """Overlapping max pooling, dilation, a depthwise convolution, adaptive pooling."""
    features = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=1, padding=1),
        nn.Conv2d(4, 8, 2, dilation=2, groups=4, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((2, 1)),
    )
    return Stacked(features, nn.Linear(16, 4))


def cnn_1d() -> nn.Module:
    """One-dimensional and transposed convolutions, leaky rectifiers; captum has no rules for these."""
    features = nn.Sequential(
        nn.Conv1d(2, 5, 3, padding=2, stride=2),
        nn.LeakyReLU(0.1),
        nn.ConvTranspose1d(5, 4, 3, stride=2),
        nn.ReLU(),
        nn.AvgPool1d(2),
    )
    return Stacked(features, nn.Linear(20, 4))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (mlp, (8,)),
    "mlp_without_bias": (mlp_without_bias, (8,)),
    "cnn": (cnn, (2, 8, 8)),
    "cnn_overlapping": (cnn_overlapping, (2, 8, 8)),
    "cnn_1d": (cnn_1d, (2, 8)),
}
ON_CAPTUM = ("mlp", "mlp_without_bias", "cnn", "cnn_overlapping")


def fill(model: nn.Module, seed: int, bias: float = 0.4) -> nn.Module:
    """Weights of the usual size and biases of both signs, up to ``bias``; batch norm with random statistics. In float64."""
    numbers = np.random.default_rng(seed)
    model = model.double().eval()
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point():
                continue
            values = torch.from_numpy(numbers.standard_normal(tuple(tensor.shape)))
            if "running_var" in name:
                values.abs_().add_(0.5)
            elif "bias" in name or "running_mean" in name:
                values.tanh_().mul_(bias)
            elif tensor.ndim > 1:
                values.div_(tensor[0].numel() ** 0.5)
            else:
                values.abs_().add_(0.5)
            tensor.copy_(values)
    return model


@dataclass(frozen=True, eq=False)
class Case:
    """A network of this file, traced, and an input in the domain it was traced with."""

    model: nn.Module
    network: dtd.Network
    x: Tensor

    def relevance(self) -> Tensor:
        """Initial relevance of both signs on every output."""
        return random(tuple(self.model(self.x).shape), 7)

    def by_dtd(self, target: object, plan: dtd.Plan) -> Tensor:
        """Relevance of the input. # shape: that of x"""
        return dtd.explain(self.network, self.x, target, plan).relevance


@cache
def traced(name: str, signs: str) -> tuple[nn.Module, dtd.Network]:
    """The network, traced once; its weights are refilled in place."""
    make, shape = NETWORKS[name]
    model = make().double().eval()
    return model, dtd.trace(model, torch.zeros(2, *shape, dtype=torch.double), domain=DOMAINS[signs])


def build(name: str, seed: int, signs: str = "real", batch: int = 3) -> Case:
    """A filled network and inputs: ``"real"`` of both signs, ``"nonnegative"``, or ``"box"`` inside [−1, 2].

    The next case of the same name and signs overwrites the weights of this one.
    """
    model, network = traced(name, signs)
    x = torch.from_numpy(np.random.default_rng(seed + 1000).standard_normal((batch, *NETWORKS[name][1])))
    x = {"real": x, "nonnegative": x.abs(), "box": x.clamp(0.9 * LOW, 0.9 * HIGH)}[signs]
    return Case(fill(model, seed), network, x)


def random(shape: tuple[int, ...], seed: int) -> Tensor:
    """Standard normal values in float64."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))
