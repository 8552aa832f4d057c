"""One photo: from a file, or from an installed package."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from dtd.domain import Box
from experiments.configs.base import ConfigError, require
from experiments.configs.data import PhotoConfig
from experiments.configs.extras import install
from experiments.data.base import Data, unlabelled
from experiments.data.images import opened

PACKAGED = {
    "coffee": ("skimage", "data/coffee.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
EXTRA = {"skimage": "vision", "sklearn": "data"}


def check(config: PhotoConfig) -> None:
    """Raises :class:`ConfigError` for a photo that is not there."""
    located(config.image)


def load(config: PhotoConfig) -> Data:
    """The photo, in full size and in colour, as the only sample; pixels between 0 and 1."""
    path = located(config.image)
    pixels = np.asarray(opened(path, "data.image", "RGB"), np.float32) / 255
    return unlabelled(torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous(), Box(0.0, 1.0))


def located(image: str) -> Path:
    """The file of a packaged photo's name, or of a path."""
    if image not in PACKAGED:
        path, known = Path(image).expanduser(), ", ".join(PACKAGED)
        require(path.is_file(), "data.image", f"the path of a photo, or one of {known}", f"{image}, which is no file")
        return path
    package, name = PACKAGED[image]
    if find_spec(package) is None:
        raise ConfigError(
            f"The photo '{image}' comes with the extra '{EXTRA[package]}': {install(EXTRA[package])}. Or give the "
            "path of a photo of your own: image=PATH."
        )
    return Path(str(files(package) / name))
