"""Models, one family a module: from a model's config to a subject.

``experiments/models/NAME.py`` has ``subject(config, data)`` for the schema of option NAME; it is imported when it is used.
"""

from collections.abc import Mapping
from importlib import import_module

from experiments.configs import DataConfig, ModelConfig, SeveralConfig, option
from experiments.data import load
from experiments.models.base import Subject

__all__ = ["Subject", "subjects"]


def subjects(model: ModelConfig, data: DataConfig) -> Mapping[str, Subject]:
    """The subjects that a model config names, each with its name; models are trained when they have to be."""
    parts = model.parts if isinstance(model, SeveralConfig) else {option("model", model): model}
    loaded = load(data)
    made = {}
    for name, part in parts.items():
        made[name] = import_module(f"experiments.models.{option('model', part)}").subject(part, loaded)
        made[name].model.requires_grad_(False)
    return made
