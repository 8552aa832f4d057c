"""Data sets, one module each: training and test inputs with labels, and the domain that the inputs live in.

``experiments/data/NAME.py`` has ``load(config)`` for the schema of option NAME; it is imported when it is used.
"""

from importlib import import_module

from experiments.configs import DataConfig, option
from experiments.data.base import Data

__all__ = ["Data", "load"]


def load(config: DataConfig) -> Data:
    """The data set that a config describes."""
    return import_module(f"experiments.data.{option('data', config)}").load(config)
