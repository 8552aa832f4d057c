"""Parameters from a file: tensors by name, and no code."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from experiments.configs.base import ConfigError, require

SHOWN = 3  # names of a message


def check_file(path: str | None, key: str) -> None:
    """Raises :class:`ConfigError` for a file that is not there."""
    require(path is None or Path(path).is_file(), key, "a file (.safetensors, or one of torch.save)", path)


def load_weights(model: nn.Module, path: str) -> None:
    """Put the parameters of a file into a model; raises :class:`ConfigError` where they are not the model's."""
    state = tensors(Path(path))
    own = model.state_dict()
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    other = [name for name in own if name in state and state[name].shape != own[name].shape]
    shapes = [f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}" for name in other]
    problems = {"lacks": missing, "has too many": unknown, "has other shapes": shapes}
    told = "; ".join(f"it {what}: {', '.join(each[:SHOWN])} ({len(each)})" for what, each in problems.items() if each)
    if told:
        raise ConfigError(f"'model.weights' must hold the model's parameters by their names; {path} does not: {told}.")
    model.load_state_dict(state)


def tensors(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file, by name; what pickle would have to execute is refused."""
    try:
        found: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, EOFError, RuntimeError) as error:
        raise ConfigError(f"'model.weights' must be a file of tensors alone; {path} cannot be read: {error}") from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    valid = isinstance(found, Mapping) and all(isinstance(value, Tensor) for value in found.values())
    require(valid, "model.weights", "a state dict: tensors by name", f"{type(found).__name__} in {path}")
    return found
