"""Architectures of torchvision and timm, with parameters from a file or random ones."""

import torch

from experiments.configs.architectures import architecture
from experiments.configs.base import ConfigError
from experiments.configs.models import ArchitectureConfig
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject, on_data
from experiments.models.layers import randomise
from experiments.models.weights import check_file, load_weights


def builder(config: ArchitectureConfig, key: str):
    """The function that makes the model."""
    return architecture(f"{config.library.value}.{config.architecture}", f"{key}.architecture")


def check(config: ArchitectureConfig, key: str) -> None:
    """Raises :class:`ConfigError` for an architecture, arguments or a file that there are not."""
    make = builder(config, key)
    try:
        with torch.device("meta"):
            make(**config.arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"'{key}.arguments' do not fit {config.architecture}: {error}") from error
    check_file(config.weights, f"{key}.weights")


def subject(config: ArchitectureConfig, data: Data) -> Subject:
    """The architecture with the file's parameters; without a file with random ones, which keep the scale with depth."""
    with seeded(config.seed):
        model = builder(config, "model")(**config.arguments).eval()
        if config.weights is None:
            randomise(model)
    if config.weights is not None:
        load_weights(model, config.weights)
    return on_data(model, data)
