"""Schemas of ``conf/data``; the data set of option NAME is loaded by ``experiments/data/NAME.py``."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class DataConfig:
    """Any data set."""


@dataclass
class DigitsConfig(DataConfig):
    """scikit-learn's 8×8 digits."""

    test_fraction: float = 0.25
    seed: int = MISSING


DATA = {"digits": DigitsConfig}
