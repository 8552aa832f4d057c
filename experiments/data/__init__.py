"""Data sets, one module each: training and test inputs with labels, and the domain that the inputs live in.

``experiments/data/NAME.py`` has ``load(config)`` for the schema of option NAME, and perhaps ``check(config)``, which
raises :class:`ConfigError` before any work; it is imported when it is used.
"""

from experiments.configs.data import DataConfig
from experiments.configs.options import check_option, module
from experiments.data.base import Data

__all__ = ["Data", "check", "load"]


def check(config: DataConfig) -> None:
    """Raises :class:`ConfigError` for data that cannot be loaded."""
    check_option("data", config)


def load(config: DataConfig) -> Data:
    """The data set that a config describes."""
    return module("data", config).load(config)
