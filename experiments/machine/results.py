"""What a run leaves behind, written so that a file is either complete or not there."""

import json
import os
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import pandas as pd
from matplotlib.figure import Figure

PROBE = 64 * 1024  # bytes that must fit at least
PART = re.compile(r"\..*-[0-9a-f]{32}(\.\w+)?")  # the temporary name of a file that is being written


class OutputError(OSError):
    """A file that could not be written: the disk is full, the directory read-only …"""


def atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` make a file under a temporary name beside ``path``, then rename it: all of it or nothing.

    The temporary name keeps the suffix, since some writers choose the format by it. Raises :class:`OutputError` where the
    system refuses to write.
    """
    part = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        write(part)
        with part.open("rb") as written:  # on the disk before it has its name: a power cut leaves no half file either
            os.fsync(written.fileno())
        os.replace(part, path)
    except OSError as error:
        kept = "Nothing of it was left behind; make space or write elsewhere, then start again."
        raise OutputError(f"'{path}' could not be written: {error.strerror or error}. {kept}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def remove_parts(directory: Path) -> None:
    """Remove what writers that were killed left under temporary names."""
    for path in directory.iterdir():
        if PART.fullmatch(path.name):
            path.unlink()


def require_writable(directory: Path) -> None:
    """Raises :class:`OutputError` for a directory that cannot be made or written to, before any work is done for it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(bytes(PROBE))
            probe.flush()
    except OSError as error:
        advice = "Choose another one with hydra.run.dir=… or hydra.sweep.dir=…, or make it writable."
        raise OutputError(
            f"The directory '{directory}' cannot be written to: {error.strerror or error}. {advice}"
        ) from error


def save_table(path: Path, table: pd.DataFrame) -> Path:
    """A table as CSV; floating-point numbers are read back bit for bit."""
    return atomically(path, lambda part: table.to_csv(part, index=False))


def read_table(path: Path) -> pd.DataFrame:
    """What :func:`save_table` wrote."""
    return pd.read_csv(path, float_precision="round_trip", keep_default_na=False, na_values=[""])


def save_text(path: Path, text: str) -> Path:
    """Text in UTF-8."""
    return atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def save_json(path: Path, content: dict) -> Path:
    """A dictionary as readable JSON."""
    return save_text(path, json.dumps(content, indent=2) + "\n")


def save_figure(path: Path, figure: Figure | str) -> None:
    """A figure as PDF and as PNG, under the given name without a suffix; a page (text) under its whole name."""
    if isinstance(figure, str):
        save_text(path, figure)
        return
    for suffix in (".pdf", ".png"):
        atomically(path.with_name(path.name + suffix), partial(figure.savefig, dpi=300))
