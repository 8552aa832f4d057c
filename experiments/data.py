"""Data sets: training and test inputs with labels, and the domain that the inputs live in."""

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from dtd.domain import Box, Domain
from experiments.configs import DataConfig, DigitsConfig, require


@dataclass(frozen=True, eq=False)
class Data:
    """A data set in two parts. # shape: x (N, C, H, W) float32, y (N,)"""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    domain: Domain
    classes: int


@singledispatch
def load(config: DataConfig) -> Data:
    """The data set that a config describes."""
    raise TypeError(f"No data for {type(config).__name__}; register a function with experiments.data.load.register.")


@load.register
def _(config: DigitsConfig) -> Data:
    """1,797 handwritten digits of 8×8 pixels, scaled to [0, 1]; the split keeps the classes' shares."""
    require(0 < config.test_fraction < 1, "data.test_fraction", "between 0 and 1", config.test_fraction)
    images, labels = load_digits(return_X_y=True)
    x = (images.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    parts = train_test_split(x, labels, test_size=config.test_fraction, random_state=config.seed, stratify=labels)
    train_x, test_x, train_y, test_y = (torch.from_numpy(part) for part in parts)
    return Data(train_x, train_y, test_x, test_y, Box(0.0, 1.0), 10)
