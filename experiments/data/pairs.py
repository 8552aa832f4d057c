"""Pairs of digits beside each other: a digit 0 to 3 may be among them (the task of Montavon 2017)."""

import torch
from torch import Tensor

from experiments.configs.base import require
from experiments.configs.data import PairsConfig
from experiments.data import mnist
from experiments.data.base import Data
from experiments.data.split import check_split

SOUGHT = 4  # classes below it are sought, the others distract


def check(config: PairsConfig) -> None:
    """Raises :class:`ConfigError` for pairs that there cannot be."""
    check_split(config)
    require(config.pairs >= 8, "data.pairs", "at least 8", config.pairs)


def load(config: PairsConfig) -> Data:
    """Half of the pairs hold a digit 0 to 3 on one side; the rest are distractors. No digit is in both parts."""
    digits = mnist.load(config)
    generator = torch.Generator().manual_seed(config.seed)
    tests = round(config.pairs * config.test_fraction)
    train = paired(digits.train_x, digits.train_y, config.pairs - tests, generator)
    test = paired(digits.test_x, digits.test_y, tests, generator)
    return Data(*train, *test, digits.domain, 2)


def paired(x: Tensor, y: Tensor, pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images of two digits, and whether one of them is sought. # shape: (N, 1, H, W) -> (pairs, 1, H, 2 W), (pairs,)"""
    present = torch.arange(pairs) % 2
    sought, distractors = (y < SOUGHT).nonzero().flatten(), (y >= SOUGHT).nonzero().flatten()

    def drawn(among: Tensor) -> Tensor:
        return x[among[torch.randint(len(among), (pairs,), generator=generator)]]

    first = torch.where(present.view(-1, 1, 1, 1) > 0, drawn(sought), drawn(distractors))
    left = torch.rand(pairs, 1, 1, 1, generator=generator) < 0.5
    other = drawn(distractors)
    return torch.cat([torch.where(left, first, other), torch.where(left, other, first)], 3), present
