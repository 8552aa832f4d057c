"""1,797 handwritten digits of 8×8 pixels."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from dtd.domain import Box
from experiments.configs import DigitsConfig, require
from experiments.data.base import Data


def load(config: DigitsConfig) -> Data:
    """Pixels scaled to [0, 1]; the split keeps the classes' shares."""
    require(0 < config.test_fraction < 1, "data.test_fraction", "between 0 and 1", config.test_fraction)
    images, labels = load_digits(return_X_y=True)
    x = (images.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    parts = train_test_split(x, labels, test_size=config.test_fraction, random_state=config.seed, stratify=labels)
    train_x, test_x, train_y, test_y = (torch.from_numpy(part) for part in parts)
    return Data(train_x, train_y, test_x, test_y, Box(0.0, 1.0), 10)
