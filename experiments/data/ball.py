"""Points of the unit cube and a ball that holds half of it: the smallest task with a curved border."""

from math import gamma, pi

import torch

from dtd.domain import Box
from experiments.configs.base import require
from experiments.configs.data import BallConfig
from experiments.data.base import Data
from experiments.data.split import check_split, labelled


def check(config: BallConfig) -> None:
    """Raises :class:`ConfigError` for points or a ball that there cannot be."""
    check_split(config)
    require(config.samples >= 8, "data.samples", "at least 8", config.samples)
    require(1 <= config.inputs <= 3, "data.inputs", "1 to 3, where the ball fits into the cube", config.inputs)


def load(config: BallConfig) -> Data:
    """Uniform points; class 1 lies in the ball."""
    generator = torch.Generator().manual_seed(config.seed)
    x = torch.rand(config.samples, config.inputs, generator=generator)
    inside = (x - 0.5).norm(dim=1) < radius(config.inputs)
    return labelled(x.numpy(), inside.long().numpy(), config, Box(0.0, 1.0))


def radius(n: int) -> float:
    """The radius of the ball of volume 1/2 in n dimensions: ``π^(n/2) rⁿ / Γ(n/2 + 1) = 1/2``."""
    return (gamma(n / 2 + 1) / (2 * pi ** (n / 2))) ** (1 / n)
