"""Samples of your own in a NumPy file: an array ``.npy``, or ``x`` and perhaps labels ``y`` in a ``.npz``."""

from pathlib import Path

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
    numeric = x.dtype.kind in "fiub" and x.ndim >= 2 and len(x) > 0 and bool(np.isfinite(x).all())
    require(numeric, "data.path", "finite numbers of shape (samples, ...)", f"{x.dtype} of shape {x.shape}")
    x = x / np.float32(255) if x.dtype == np.uint8 else x.astype(np.float32)
    domain = domain_of(x, config.domain)
    if y is None:
        return unlabelled(torch.from_numpy(x), domain)
    valid = y.shape == (len(x),) and y.dtype.kind in "iu" and y.min() >= 0
    require(valid, "data.labels", f"{len(x)} classes, integers from 0", f"{y.dtype} of shape {y.shape}")
    return labelled(x, y, config, domain)


def read(config: ArrayConfig) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples and labels; objects that would have to be unpickled are refused."""
    try:
        found = np.load(config.path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            arrays = {"x": found}
        else:
            arrays = {name: found[name] for name in found.files}
        if config.labels is not None:
            arrays["y"] = np.load(config.labels, allow_pickle=False)
    except ValueError as error:
        raise ConfigError(f"'data.path' and 'data.labels' must hold plain arrays: {error}") from error
    require("x" in arrays, "data.path", "an archive with an array 'x' (and labels 'y')", ", ".join(arrays))
    return arrays["x"], arrays.get("y")


def domain_of(x: np.ndarray, given: str | list[float] | None) -> Domain:
    """The domain that the config names, or the simplest that holds the values: [0, 1], non-negative, real."""
    if given is None:
        return Real() if x.min() < 0 else NonNegative() if x.max() > 1 else Box(0.0, 1.0)
    domain = NAMED[given] if isinstance(given, str) else Box(*map(float, given))
    inside = bool(domain.contains(torch.from_numpy(x)).all())
    require(inside, "data.domain", "one that holds the data", f"{domain} for values from {x.min():.4g} to {x.max():.4g}")
    return domain
