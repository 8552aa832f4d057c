"""Training in seconds, once: weights are cached under a hash of everything that they depend on."""

import hashlib
import inspect
import json
import logging
from dataclasses import asdict
from functools import partial
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.configs.base import require
from experiments.configs.models import TrainedConfig
from experiments.data import Data
from experiments.machine.conditions import seeded, threads
from experiments.machine.console import progress
from experiments.machine.results import atomically

SOURCES = (Path(__file__), Path(__file__).parent / "layers.py")  # beside the file of the model itself


def trained(build: partial[nn.Module], config: TrainedConfig, data: Data) -> nn.Module:
    """A trained model in evaluation mode; the same seed gives the same weights, bit for bit, on any number of threads.

    ``build()`` makes the untrained model. Weights come from the cache when it has them.
    """
    require(data.train_y is not None, "data", "a data set with labels, since the model is trained on it", "one without")
    path = cached(build, config, data)
    with seeded(config.seed), threads(1):  # sums in one order
        model = build()
        weights = read(path)
        if weights is None:
            train(model, config, data)
            keep(model, path)
        else:
            model.load_state_dict(weights)
    return model.eval()


def keep(model: nn.Module, path: Path) -> None:
    """Put the weights into the cache; where nothing can be written there, they are trained again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomically(path, lambda part: save_file(model.state_dict(), part))
    except (OSError, SafetensorError) as error:
        logging.getLogger("experiments").warning(
            "The trained weights could not be kept in %s (%s). They are trained in every run until it can be written to; "
            "XDG_CACHE_HOME names another place.",
            path.parent,
            getattr(error, "strerror", None) or error,
        )


def check_training(config: TrainedConfig, key: str) -> None:
    """Raises :class:`ConfigError` for a training that cannot be done."""
    for name in ("epochs", "batch"):
        require(getattr(config, name) >= 1, f"{key}.{name}", "at least 1", getattr(config, name))
    require(config.learning_rate > 0, f"{key}.learning_rate", "positive", config.learning_rate)
    require(config.weight_decay >= 0, f"{key}.weight_decay", "at least 0", config.weight_decay)


def cached(build: partial[nn.Module], config: TrainedConfig, data: Data) -> Path:
    """Where the weights live: their name holds a hash of the config, the training data, torch's version and the code."""
    what = [type(config).__name__, asdict(config), build.args, build.keywords, torch.__version__]
    key = hashlib.sha256(json.dumps(what, sort_keys=True, default=fingerprint).encode())
    for source in (*SOURCES, Path(inspect.getfile(build.func))):
        key.update(source.read_bytes())
    for values in (data.train_x, data.train_y):
        key.update(fingerprint(values).encode())
    directory = Path(platformdirs.user_cache_dir("dtd")) / "models"
    return directory / f"{build.func.__name__}-{key.hexdigest()[:16]}.safetensors"


def fingerprint(values: Tensor) -> str:
    """A hash of a tensor's shape, type and numbers."""
    return hashlib.sha256(f"{tuple(values.shape)} {values.dtype}".encode() + values.numpy().tobytes()).hexdigest()


def read(path: Path) -> dict | None:
    """The cached weights; None where there are none, or none that can be read."""
    try:
        return load_file(path)
    except (OSError, SafetensorError):
        return None


@torch.enable_grad()
def train(model: nn.Module, config: TrainedConfig, data: Data) -> None:
    """Adam on the cross entropy, with the learning rate falling linearly to 0."""
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1 - epoch / config.epochs)
    model.train()
    name = type(model).__name__
    for _ in progress(range(config.epochs), f"training the {name}"):
        for batch in torch.randperm(len(data.train_x)).split(config.batch):
            optimiser.zero_grad()
            F.cross_entropy(model(data.train_x[batch]), data.train_y[batch]).backward()
            optimiser.step()
        schedule.step()
