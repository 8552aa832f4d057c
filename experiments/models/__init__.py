"""Models, one family a module: from a model's config to a subject.

``experiments/models/NAME.py`` has ``subject(config, data)`` for the schema of option NAME, and perhaps
``check(config, key)``, which raises :class:`ConfigError` before any work, and ``fits(config, data)``, which says in words
what data it needs where these are other ones; it is imported when it is used.
"""

from collections.abc import Mapping

from experiments.configs.base import ConfigError, ModelConfig
from experiments.configs.data import DataConfig
from experiments.configs.models import SeveralConfig
from experiments.configs.options import check_option, module
from experiments.configs.run import option
from experiments.data import Data, load
from experiments.machine.notes import note, wanted
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


def check_fit(model: ModelConfig, loaded: Data) -> None:
    """Raises :class:`ConfigError`, before anything is trained, for a model that cannot take the data's samples."""
    for part, key in parts(model).values():
        fits = getattr(module("model", part), "fits", None)
        if fits is None:
            continue
        needed, shape = fits(part, loaded), tuple(loaded.train_x.shape[1:])
        found = f"samples of shape {shape} in 'data'" + (", without labels" if loaded.train_y is None else "")
        one = f"{key} ({option('model', part)})"
        advice = " Choose other data, or one of the models alone: model=NAME." if key != "model" else ""
        if needed:
            raise ConfigError(f"'{one}' needs {needed}; found {found}.{advice}")


def subjects(model: ModelConfig, data: DataConfig) -> Mapping[str, Subject]:
    """The subjects that a model config names, each with its name; models are trained when they have to be."""
    loaded = load(data)
    check_fit(model, loaded)
    made = {}
    for name, (part, _) in parts(model).items():
        made[name] = module("model", part).subject(part, loaded)
        made[name].model.requires_grad_(False)
        accuracy = made[name].accuracy() if wanted() else None
        if accuracy is not None:
            note(name, accuracy)
    return made
