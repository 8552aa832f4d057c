"""Tables of scikit-learn, standardised: inputs of both signs without bounds."""

from dataclasses import replace

from sklearn import datasets

from dtd.domain import Real
from experiments.configs.data import TabularConfig
from experiments.data.base import Data
from experiments.data.split import check_split, labelled

check = check_split


def load(config: TabularConfig) -> Data:
    """Each column with mean 0 and variance 1 over the training rows."""
    x, labels = getattr(datasets, f"load_{config.table.value}")(return_X_y=True)
    data = labelled(x, labels, config, Real())
    mean, std = data.train_x.mean(0), data.train_x.std(0, correction=0)
    return replace(data, train_x=(data.train_x - mean) / std, test_x=(data.test_x - mean) / std)
