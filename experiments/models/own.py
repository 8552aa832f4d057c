"""A model of your own: any class, or function that makes a model, of a package that the run trusts."""

from functools import partial

import torch
from torch import nn

from experiments.configs import targets
from experiments.configs.base import ConfigError, require
from experiments.configs.models import OwnConfig
from experiments.data import Data
from experiments.machine.conditions import seeded
from experiments.models.base import Subject, on_data
from experiments.models.training import check_training, trained
from experiments.models.weights import check_file, load_weights


def builder(config: OwnConfig, key: str) -> partial:
    """The model's class or function with its arguments."""
    arguments = targets.build(config.arguments, config.trusted, f"{key}.arguments")
    target = targets.resolve(config._target_, config.trusted, key)
    targets.check_arguments(target, arguments, f"{key}.arguments")
    return partial(target, **arguments)


def check(config: OwnConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a name, arguments or a file that there are not."""
    builder(config, key)
    check_file(config.weights, f"{key}.weights")
    if config.weights is None and config.epochs != 0:
        check_training(config, key)


@torch.no_grad()
def check_fit(model: nn.Module, data: Data, training: bool) -> None:
    """Raises :class:`ConfigError` for a model that does not take the data's samples, or lacks outputs to be trained."""
    shape = tuple(data.train_x.shape[1:])
    try:
        output = model(data.train_x[:2])
    except RuntimeError as error:
        raise ConfigError(
            f"'model' must take samples of shape {shape}, with the batch before them; it said: {error}. Fit the model "
            f"to the data with +model.arguments.NAME=VALUE, or choose other data."
        ) from error
    if training and data.train_y is not None:
        classes, found = int(data.train_y.max()) + 1, tuple(output.shape[1:])
        fits = len(found) == 1 and found[0] >= classes
        require(fits, "model", f"a model with {classes} outputs, one for each class", f"outputs of shape {found}")


def subject(config: OwnConfig, data: Data) -> Subject:
    """The model with the file's parameters, or trained on the data, or with random parameters for 0 epochs."""
    build = builder(config, "model")
    with seeded(config.seed):
        model = build()
    require(isinstance(model, nn.Module), "model._target_", "a torch.nn.Module, or a function that makes one", type(model))
    training = config.weights is None and config.epochs > 0
    check_fit(model.eval(), data, training)
    if training:
        model = trained(build, config, data)
    elif config.weights is not None:
        load_weights(model, config.weights)
    return on_data(model.eval(), data)
