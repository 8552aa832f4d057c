"""From a model's config to a subject: the model, its inputs' domain, and samples to explain."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial, singledispatch

import torch
from torch import Tensor, nn

from dtd.domain import Box, Domain
from experiments.configs import CNNConfig, DataConfig, MLPConfig, ModelConfig, SeveralConfig, VGG16Config
from experiments.data import Data, load
from experiments.networks import CNN, MLP, VGG16, randomise
from experiments.training import trained


@dataclass(frozen=True, eq=False)
class Subject:
    """A model in evaluation mode with what is explained of it.

    # shape: train_x and test_x (N, *in); test_y (N,), None where there are no labels
    """

    model: nn.Module
    domain: Domain
    train_x: Tensor
    test_x: Tensor
    test_y: Tensor | None

    @torch.no_grad()
    def accuracy(self) -> float | None:
        """Share of the test samples that are classified correctly; None without labels."""
        if self.test_y is None:
            return None
        return (self.model(self.test_x).argmax(1) == self.test_y).double().mean().item()


def subjects(model: ModelConfig, data: DataConfig) -> Mapping[str, Subject]:
    """The subjects that a model config names, each with its name."""
    parts = model.parts if isinstance(model, SeveralConfig) else {type(model).__name__.removesuffix("Config").lower(): model}
    loaded = load(data)
    made = {name: subject(part, data, loaded) for name, part in parts.items()}
    for each in made.values():
        each.model.requires_grad_(False)
    return made


@singledispatch
def subject(config: ModelConfig, data_config: DataConfig, data: Data) -> Subject:
    """One subject; trains its model when it has to."""
    raise TypeError(f"No model for {type(config).__name__}; register a function with experiments.models.subject.register.")


@subject.register
def _(config: MLPConfig, data_config: DataConfig, data: Data) -> Subject:
    sizes = [data.train_x[0].numel(), *config.hidden, data.classes]
    return on_data(trained(partial(MLP, sizes), config, data_config, data), data)


@subject.register
def _(config: CNNConfig, data_config: DataConfig, data: Data) -> Subject:
    return on_data(trained(partial(CNN, config.channels, data.classes), config, data_config, data), data)


@subject.register
def _(config: VGG16Config, data_config: DataConfig, data: Data) -> Subject:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = VGG16(config.classes).eval()
        randomise(model)
        images = torch.rand(2, 3, config.size, config.size)
    return Subject(model, Box(0.0, 1.0), images, images, None)


def on_data(model: nn.Module, data: Data) -> Subject:
    """A model that was trained on the data, with its test samples."""
    return Subject(model, data.domain, data.train_x, data.test_x, data.test_y)
