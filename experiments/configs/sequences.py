"""Schemas of transformers and recurrent networks that costs are measured on."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING

from experiments.configs.base import ModelConfig


class Sequences(Enum):
    """Transformers and recurrent networks, in the sizes that they are known in."""

    vit_b_16 = "vit_b_16"
    bert_base = "bert_base"
    gpt2 = "gpt2"
    smollm2_135m = "smollm2_135m"
    lstm = "lstm"


@dataclass
class SequenceConfig(ModelConfig):
    """A transformer or recurrent network with random weights, on random vectors of so many ``tokens`` (ViT: on images)."""

    architecture: Sequences = MISSING
    tokens: int = MISSING
    layers: int | None = None
    seed: int = MISSING
