"""Architectures of torchvision and timm by name, without weights; weights come from a file that the user has."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from torch import nn

from experiments.configs.base import ConfigError, require
from experiments.configs.extras import bringing

LIBRARIES = ("torchvision", "timm")
LOADING = {"weights", "weights_backbone", "progress", "checkpoint_path", "cache_dir"}  # arguments that fetch or read files


def architecture(name: str, key: str) -> Callable[..., nn.Module]:
    """The builder ``LIBRARY[.….]ARCHITECTURE``; raises :class:`ConfigError` for what is no architecture of the library."""
    library, *_, short = name.split(".")
    known = names(library, key)
    require(short in known, key, f"an architecture of {library} ({nearest(short, known)})", name)

    def make(**arguments: Any) -> nn.Module:
        given = [each for each in arguments if each in LOADING or each.startswith("pretrained")]
        require(not given, key, "an architecture without weights; give the file that holds them as model.weights", given)
        return builder(library)(short, **arguments)

    make.__name__ = short
    return make


def names(library: str, key: str) -> list[str]:
    """The architectures that a library can classify with."""
    try:
        import_module("experiments.machine.vision")  # timm imports torchvision too
        if library == "timm":
            return import_module("timm").list_models()
        models = import_module("torchvision.models")
    except ImportError as error:
        raise ConfigError(f"'{key}' needs {library}, which is not installed ({error}): {bringing(library)}") from error
    return models.list_models(module=models)


def builder(library: str) -> Callable[..., nn.Module]:
    """The library's function from an architecture's name to an untrained model."""
    if library == "timm":
        return import_module("timm").create_model
    models = import_module("torchvision.models")
    return lambda name, **arguments: models.get_model(name, weights=None, **arguments)


def nearest(name: str, known: list[str]) -> str:
    """A few known names that resemble one."""
    return ", ".join(get_close_matches(name, known, n=6, cutoff=0.3)) + ", …"
