"""Photographs that come with scikit-learn and scikit-image."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from experiments.configs.base import require
from experiments.configs.data import PhotosConfig
from experiments.data.base import Data, unlabelled
from experiments.data.images import check_images, normalised, square

PHOTOS: Mapping[str, Callable[[], np.ndarray]] = {
    "astronaut": data.astronaut,
    "chelsea": data.chelsea,
    "china": lambda: load_sample_image("china.jpg"),
    "coffee": data.coffee,
    "flower": lambda: load_sample_image("flower.jpg"),
    "rocket": data.rocket,
}


def check(config: PhotosConfig) -> None:
    """Raises :class:`ConfigError` for photographs that there are not."""
    check_images(config, 3)
    require(bool(config.names), "data.names", "at least one photograph", "an empty list")
    for name in config.names:
        require(name in PHOTOS, "data.names", f"among {', '.join(PHOTOS)}", name)


def load(config: PhotosConfig) -> Data:
    """The photographs in the given order."""
    pixels = np.stack([square(Image.fromarray(PHOTOS[name]()), config.size) for name in config.names])
    return unlabelled(*normalised(pixels, config))
