"""One photo in one network, and the class whose output is explained."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.network import Network, trace
from experiments.configs.base import require
from experiments.configs.questions.explanations import CastleConfig
from experiments.configs.run import Config
from experiments.data.classes import COUNT, class_index, class_name
from experiments.models import Subject

CLASS = "question.class_name"


@dataclass(frozen=True, eq=False)
class Case:
    """A network on one photo, and the class that is explained. # shape: x (1, 3, H, W)"""

    network: Network
    x: Tensor
    target: int
    probabilities: Tensor

    def label(self) -> dict[str, Any]:
        """What every row says about the photo."""
        predicted = int(self.probabilities.argmax())
        return {
            "class_index": self.target,
            "class_name": self.name(self.target),
            "probability": self.probabilities[self.target].item(),
            "predicted": self.name(predicted),
            "probability_predicted": self.probabilities[predicted].item(),
        }

    def name(self, index: int) -> str:
        """A class's name."""
        return class_name(index) if len(self.probabilities) == COUNT else f"class {index}"

    @property
    def pixels(self) -> Tensor:
        """The photo as the network sees it, between 0 and 1. # shape: (3, H, W)"""
        low, high = self.network.domain.bounds()
        return ((self.x - low) / (high - low))[0]


@torch.no_grad()
def case(subject: Subject, config: Config) -> Case:
    """The network in the run's precision."""
    precise, asked = subject.to(config.dtype.torch), config.asked(CastleConfig)
    x = precise.test_x[:1]
    output = precise.model(x)[0]
    probabilities = output.softmax(0)
    target = int(probabilities.argmax()) if asked.class_name is None else class_index(asked.class_name, CLASS)
    require(target < len(output), CLASS, f"one of the network's {len(output)} classes", target)
    require(bool(output[target] != 0), CLASS, "a class whose output is not 0", f"{class_name(target)}: nothing to explain")
    return Case(trace(precise.model, x, subject.domain), x, target, probabilities)
