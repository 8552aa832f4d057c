"""Samples of your own in a NumPy file: an array ``.npy``, or ``x`` and perhaps labels ``y`` in a ``.npz``."""

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from dtd.domain import Box, Domain, NonNegative, Real
from experiments.configs.base import ConfigError, require
from experiments.configs.data import ArrayConfig
from experiments.data.base import Data, unlabelled
from experiments.data.split import check_split, labelled

NAMED = {"real": Real(), "nonnegative": NonNegative()}
DOMAINS = f"{', '.join(NAMED)}, [low, high] or null (from the values)"


def check(config: ArrayConfig) -> None:
    """Raises :class:`ConfigError` for files that are not there and a domain that is none."""
    check_split(config)
    for key, path in (("data.path", config.path), ("data.labels", config.labels)):
        valid = path is None or (Path(path).is_file() and Path(path).suffix in (".npy", ".npz"))
        require(valid, key, "a .npy or .npz file", path)
    bounds = config.domain
    numbers = isinstance(bounds, list) and len(bounds) == 2 and all(type(b) in (int, float) for b in bounds)
    named = bounds is None or (isinstance(bounds, str) and bounds in NAMED)
    require(named or (numbers and bounds[0] <= bounds[1]), "data.domain", DOMAINS, bounds)


def load(config: ArrayConfig) -> Data:
    """Samples along the first axis. Bytes are scaled to [0, 1]."""
    x, y = read(config)
    shaped = x.dtype.kind in "fiub" and x.ndim >= 2 and x.size > 0
    wanted = "numbers of shape (samples, ...), at least one of each"
    require(shaped, "data.path", wanted, f"{x.dtype} of shape {x.shape} in {config.path}")
    x = samples(x, config.path)
    domain = domain_of(x, config.domain)
    if y is None:
        return unlabelled(torch.from_numpy(x), domain)
    check_labels(y, len(x), config)
    return labelled(x, y, config, domain)


def samples(x: np.ndarray, path: str) -> np.ndarray:
    """The samples in float32; raises :class:`ConfigError`, naming the first sample with a value that is no number there."""
    if x.dtype == np.uint8:
        return x / np.float32(255)
    with np.errstate(over="ignore"):
        made = x.astype(np.float32)
    whole = np.isfinite(made).reshape(len(made), -1).all(1)
    if not whole.all():
        row = int(np.argmin(whole))
        value = x[row].reshape(-1)[int(np.argmin(np.isfinite(made[row]).reshape(-1)))]
        wanted = f"finite numbers within ±{np.finfo(np.float32).max:.2g}, what float32 holds: fill, scale or leave out rows"
        require(False, "data.path", wanted, f"{value} in row {row} of {path} (and {int((~whole).sum()) - 1} more such rows)")
    return made


def check_labels(y: np.ndarray, count: int, config: ArrayConfig) -> None:
    """Raises :class:`ConfigError` for labels that are no classes from 0 on, naming the first that is wrong."""
    key, path = ("data.labels", config.labels) if config.labels else ("data.path", config.path)
    integers = y.shape == (count,) and y.dtype.kind in "iu"
    require(integers, key, f"an array of {count} integers, one for each sample", f"{y.dtype} of shape {y.shape} in {path}")
    if y.min() < 0:
        row = int(np.argmax(y < 0))
        require(False, key, "classes 0, 1, 2, …", f"{y[row]} in row {row} of {path}")
    known = np.unique(y)
    numbered = bool(len(known) == known[-1] + 1)
    gap = next((i for i, label in enumerate(known) if i != label), 0)
    renumber = "classes 0, 1, 2, … without a gap (np.unique(y, return_inverse=True)[1] numbers them so)"
    require(numbered, key, renumber, f"{known[-1]} but no {gap} in {path}")
    require(len(known) > 1, key, "at least two classes, or leave the labels out", f"class 0 alone in {path}")


def read(config: ArrayConfig) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples and labels; objects that would have to be unpickled are refused."""
    arrays = opened(config.path, "data.path", "x")
    found = ", ".join(arrays) or "no array"
    require("x" in arrays, "data.path", "an archive with an array 'x' (and labels 'y')", f"{found} in {config.path}")
    if config.labels is not None:
        labels = opened(config.labels, "data.labels", "y")
        require("y" in labels, "data.labels", "an array of labels, or an archive with 'y'", ", ".join(labels) or "no array")
        arrays["y"] = labels["y"]
    return arrays["x"], arrays.get("y")


def opened(path: str, key: str, name: str) -> dict[str, np.ndarray]:
    """The arrays of a file; the one of a ``.npy`` gets the name. Raises :class:`ConfigError` for what is no such file."""
    try:
        with Path(path).open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return {name: found} if isinstance(found, np.ndarray) else {each: found[each] for each in found.files}
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        pickled = "object" in str(error).lower()
        why = "it holds objects rather than numbers, or is damaged" if pickled else f"{error}".rstrip(".")
        raise ConfigError(
            f"'{key}' must be an array saved by numpy.save or numpy.savez; {path} cannot be read as one ({why})."
        ) from error


def domain_of(x: np.ndarray, given: str | list[float] | None) -> Domain:
    """The domain that the config names, or the simplest that holds the values: [0, 1], non-negative, real."""
    if given is None:
        return Real() if x.min() < 0 else NonNegative() if x.max() > 1 else Box(0.0, 1.0)
    domain = NAMED[given] if isinstance(given, str) else Box(*map(float, given))
    inside = bool(domain.contains(torch.from_numpy(x)).all())
    require(inside, "data.domain", "one that holds the data", f"{domain} for values from {x.min():.4g} to {x.max():.4g}")
    return domain
