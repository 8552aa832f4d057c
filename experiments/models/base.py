"""What is explained: a model, its inputs' domain, and samples."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from dtd.domain import Domain
from experiments.data import Data

BATCH = 128  # samples that a model is asked about at once


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
    names: Sequence[str] = ()  # of the data's classes, where they have names

    @torch.no_grad()
    def class_names(self) -> list[str]:
        """What each output is called: its class's name where the data names as many classes as the model has outputs."""
        outputs = self.model(self.test_x[:1]).shape[1]
        return list(self.names) if len(self.names) == outputs else [f"class {i}" for i in range(outputs)]

    def to(self, dtype: torch.dtype) -> "Subject":
        """A copy in another precision."""
        moved = {name: getattr(self, name).to(dtype) for name in ("train_x", "test_x")}
        return replace(self, model=deepcopy(self.model).to(dtype), **moved)

    @torch.no_grad()
    def accuracy(self) -> float | None:
        """Share of the test samples that are classified correctly; None without labels."""
        if self.test_y is None:
            return None
        parts = zip(self.test_x.split(BATCH), self.test_y.split(BATCH), strict=True)
        return sum((self.model(x).argmax(1) == y).sum().item() for x, y in parts) / len(self.test_x)


def labels_needed(data: Data) -> str:
    """What a model that is trained here needs of the data; empty where they have it."""
    return "" if data.train_y is not None else "labels, since it is trained on them"


def images_needed(data: Data, smallest: int) -> str:
    """What a model of images that is trained here needs of the data; empty where they have it."""
    shape = tuple(data.train_x.shape[1:])
    images = len(shape) == 3 and min(shape[1:]) >= smallest
    return labels_needed(data) if images else f"images (channels, height, width) of at least {smallest}×{smallest} pixels"


def on_data(model: nn.Module, data: Data) -> Subject:
    """A model with the samples of a data set."""
    return Subject(model, data.domain, data.train_x, data.test_x, data.test_y, data.names)
