"""Models, one family a module: from a model's config to a subject.

``experiments/models/NAME.py`` has ``subject(config, data)`` for the schema of option NAME, and perhaps
``check(config, key)``, which raises :class:`ConfigError` before any work; it is imported when it is used.
"""

from collections.abc import Mapping

from experiments.configs.base import ModelConfig
from experiments.configs.data import DataConfig
from experiments.configs.models import SeveralConfig
from experiments.configs.options import check_option, module
from experiments.configs.run import option
from experiments.data import load
from experiments.models.base import Subject

__all__ = ["Subject", "check", "subjects"]


def parts(model: ModelConfig) -> Mapping[str, tuple[ModelConfig, str]]:
    """The models that a config names, each with the key that it stands at."""
    if isinstance(model, SeveralConfig):
        return {name: (part, f"model.parts.{name}") for name, part in model.parts.items()}
    return {option("model", model): (model, "model")}


def check(model: ModelConfig) -> None:
    """Raises :class:`ConfigError` for models that cannot be made."""
    for part, key in parts(model).values():
        check_option("model", part, key)


def subjects(model: ModelConfig, data: DataConfig) -> Mapping[str, Subject]:
    """The subjects that a model config names, each with its name; models are trained when they have to be."""
    loaded = load(data)
    made = {}
    for name, (part, _) in parts(model).items():
        made[name] = module("model", part).subject(part, loaded)
        made[name].model.requires_grad_(False)
    return made
