"""Models and plans of the tests about faults."""

import torch
from torch import Tensor, nn

import dtd

LRP0 = dtd.Plan.uniform("lrp0")
GAMMA = dtd.Plan.uniform("gamma")


def mlp(dtype: torch.dtype = torch.double) -> nn.Module:
    """A network of two dense layers, always the same."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).to(dtype).eval()


def cnn(dtype: torch.dtype = torch.double) -> nn.Module:
    """A small convolutional network with batch norm, always the same."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3))
    return nn.Sequential(*layers).to(dtype).eval()


def rows(count: int = 3, dtype: torch.dtype = torch.double) -> Tensor:
    """Inputs of :func:`mlp`."""
    return torch.rand(count, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double).to(dtype)


def images(count: int = 3, dtype: torch.dtype = torch.double) -> Tensor:
    """Inputs of :func:`cnn`."""
    return torch.rand(count, 2, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.double).to(dtype)


def close(found: dtd.Explanation, expected: dtd.Explanation) -> None:
    """Both explanations are the same up to rounding."""
    for name in ("relevance", "output", "initial"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-10, atol=1e-12)
