"""How labelled data is divided into training and test data."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from dtd.domain import Domain
from experiments.configs.base import require
from experiments.configs.data import SplitConfig
from experiments.data.base import Data


def check_split(config: SplitConfig) -> None:
    """Raises :class:`ConfigError` for a share that leaves nothing."""
    require(0 < config.test_fraction < 1, "data.test_fraction", "between 0 and 1", config.test_fraction)


def divided(x: np.ndarray, labels: np.ndarray, config: SplitConfig) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training inputs, their labels, test inputs and theirs; the split keeps the classes' shares."""
    try:
        parts = train_test_split(x, labels, test_size=config.test_fraction, random_state=config.seed, stratify=labels)
    except ValueError as error:
        found = f"{len(labels)} samples of {len(np.unique(labels))} classes ({error})"
        require(False, "data.test_fraction", "such that each class has samples in both parts", found)
    train_x, test_x, train_y, test_y = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
    return train_x.float(), train_y.long(), test_x.float(), test_y.long()


def labelled(x: np.ndarray, labels: np.ndarray, config: SplitConfig, domain: Domain, names: Sequence[str] = ()) -> Data:
    """A data set with labels ``0 … classes − 1``, split; ``names`` by label, where classes have names."""
    train_x, train_y, test_x, test_y = divided(x, labels, config)
    return Data(train_x, train_y, test_x, test_y, domain, int(labels.max()) + 1, names=names)
