"""Independent random values, for questions about networks rather than about data."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from dtd.domain import Box, Domain, NonNegative, Real
from experiments.configs.base import require
from experiments.configs.data import Distribution, NoiseConfig
from experiments.data.base import Data, unlabelled
from experiments.machine.streams import generator

SOURCES: Mapping[Distribution, tuple[Callable[[Tensor], Tensor], Domain]] = {
    Distribution.uniform: (lambda normal: torch.special.ndtr(normal), Box(0.0, 1.0)),
    Distribution.normal: (lambda normal: normal, Real()),
    Distribution.rectified_normal: (torch.relu, NonNegative()),
}


def check(config: NoiseConfig) -> None:
    """Raises :class:`ConfigError` for samples that there cannot be."""
    require(config.samples >= 1, "data.samples", "at least 1", config.samples)
    require(bool(config.shape) and min(config.shape) >= 1, "data.shape", "positive sizes", config.shape)


def load(config: NoiseConfig) -> Data:
    """Functions of standard normal values."""
    function, domain = SOURCES[config.distribution]
    normal = torch.randn(config.samples, *config.shape, generator=generator(config.seed, "noise"))
    return unlabelled(function(normal), domain)
