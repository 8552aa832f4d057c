"""The module behind an option of a config group."""

from importlib import import_module
from types import ModuleType

from experiments.configs.base import ConfigError
from experiments.configs.extras import bringing
from experiments.configs.run import option

FOLDERS = {"data": "data", "model": "models", "question": "questions"}


def module(group: str, config: object) -> ModuleType:
    """``experiments/<group>/NAME.py`` for the schema of option NAME; it is imported when it is used.

    Raises :class:`ConfigError` where a library is missing that it needs.
    """
    name = option(group, config)
    try:
        return import_module(f"experiments.{FOLDERS[group]}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("experiments"):
            raise
        needed = f"'{group}={name}' needs {error.name}, which is not installed"
        raise ConfigError(f"{needed}: {bringing(error.name or '')}") from error


def check_option(group: str, config: object, *rest: object) -> None:
    """Let the option's module check its config, where it has a ``check``."""
    check = getattr(module(group, config), "check", None)
    if check is not None:
        check(config, *rest)
