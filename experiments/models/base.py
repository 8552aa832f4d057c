"""What is explained: a model, its inputs' domain, and samples."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtd.domain import Domain
from experiments.data import Data


@dataclass(frozen=True, eq=False)
class Subject:
    """A model in evaluation mode with what is explained of it.

    # shape: train_x and test_x (N, *in); test_y (N,), None where there are no labels
    """

    model: nn.Module
    domain: Domain
    train_x: Tensor
    test_x: Tensor
    test_y: Tensor | None

    @torch.no_grad()
    def accuracy(self) -> float | None:
        """Share of the test samples that are classified correctly; None without labels."""
        if self.test_y is None:
            return None
        return (self.model(self.test_x).argmax(1) == self.test_y).double().mean().item()


def on_data(model: nn.Module, data: Data) -> Subject:
    """A model with the samples of a data set."""
    return Subject(model, data.domain, data.train_x, data.test_x, data.test_y)
