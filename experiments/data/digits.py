"""1,797 handwritten digits of 8×8 pixels."""

from sklearn.datasets import load_digits

from dtd.domain import Box
from experiments.configs.data import DigitsConfig
from experiments.data.base import Data
from experiments.data.split import check_split, labelled

check = check_split


def load(config: DigitsConfig) -> Data:
    """Pixels scaled to [0, 1]."""
    images, labels = load_digits(return_X_y=True)
    return labelled((images.reshape(-1, 1, 8, 8) / 16).astype("float32"), labels, config, Box(0.0, 1.0))
