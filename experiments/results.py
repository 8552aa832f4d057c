"""What a run leaves behind, written so that a file is either complete or not there."""

import json
import os
import platform
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

import pandas as pd
import torch
from matplotlib.figure import Figure

PACKAGES = ("dtd", "torch", "numpy", "pandas", "scipy", "scikit-learn", "hydra-core", "matplotlib", "zennit", "captum")


def atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make a file under a temporary name beside ``path``, then rename it: all of it or nothing.

    The temporary name keeps the suffix, since some writers choose the format by it.
    """
    part = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def save_table(path: Path, table: pd.DataFrame) -> Path:
    """A table as CSV; floating-point numbers are read back bit for bit."""
    return atomically(path, lambda part: table.to_csv(part, index=False))


def read_table(path: Path) -> pd.DataFrame:
    """What :func:`save_table` wrote."""
    return pd.read_csv(path, float_precision="round_trip")


def save_text(path: Path, text: str) -> Path:
    """Text in UTF-8."""
    return atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def save_figure(path: Path, figure: Figure | str) -> None:
    """A figure as PDF and as PNG, under the given name without a suffix; a page (text) under its whole name."""
    if isinstance(figure, str):
        save_text(path, figure)
        return
    for suffix in (".pdf", ".png"):
        atomically(path.with_name(path.name + suffix), partial(figure.savefig, dpi=300))


def save_versions(path: Path) -> Path:
    """Versions of Python, of the machine and of the packages that the numbers depend on (null: not installed)."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "threads": torch.get_num_threads()}
    return save_text(path, json.dumps(found | {name: installed(name) for name in PACKAGES}, indent=2) + "\n")


def installed(name: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
