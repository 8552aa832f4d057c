"""Images in a folder of your own; folders inside it are classes, in alphabetical order."""

from pathlib import Path

import numpy as np
from PIL import Image

from experiments.configs.base import require
from experiments.configs.data import FolderConfig
from experiments.data.base import Data, unlabelled
from experiments.data.images import check_images, normalised, square
from experiments.data.split import labelled

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def images(folder: Path) -> list[Path]:
    """The images of a folder, in alphabetical order."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))


def classes(folder: Path) -> list[Path]:
    """The folders inside a folder."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def check(config: FolderConfig) -> None:
    """Raises :class:`ConfigError` for a folder that does not hold images, of one kind or of classes."""
    check_images(config, 1 if config.grey else 3)
    folder = Path(config.path)
    require(folder.is_dir(), "data.path", "a folder", config.path)
    own, inside = images(folder), classes(folder)
    require(bool(own) != bool(inside), "data.path", "a folder of either images or classes", "both" if own else "neither")
    for each in inside:
        wanted = f"a folder whose folders hold images ({', '.join(SUFFIXES)})"
        require(bool(images(each)), "data.path", wanted, f"none in {each}")


def load(config: FolderConfig) -> Data:
    """Pixels in colour, or in grey; classes have their folders' names. Without any folder inside there are no labels."""
    folder = Path(config.path)
    inside = classes(folder)
    found = [(path, i) for i, each in enumerate(inside or [folder]) for path in images(each)]
    pixels = []
    for path, _ in found:
        with Image.open(path) as image:
            pixels.append(square(image.convert("L" if config.grey else "RGB"), config.size))
    x, box = normalised(np.stack(pixels), config)
    if not inside:
        return unlabelled(x, box)
    return labelled(x.numpy(), np.array([i for _, i in found]), config, box, [each.name for each in inside])
