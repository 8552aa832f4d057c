"""What data sets of images share: a square cut-out, and the box of the pixels after normalisation."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dtd.domain import Box
from experiments.configs.base import require
from experiments.configs.data import ImagesConfig
from experiments.data.split import check_split


def check_images(config: ImagesConfig, channels: int) -> None:
    """Raises :class:`ConfigError` for a size or a normalisation that images cannot have."""
    check_split(config)
    require(config.size >= 1, "data.size", "at least 1 pixel", config.size)
    both = (config.mean is None) == (config.std is None)
    require(both, "data.mean and data.std", "given both or neither", f"{config.mean} and {config.std}")
    for key, values in (("data.mean", config.mean), ("data.std", config.std)):
        require(values is None or len(values) == channels, key, f"a number for each of {channels} channels", values)
    require(config.std is None or min(config.std) > 0, "data.std", "positive", config.std)


def square(image: Image.Image, size: int) -> np.ndarray:
    """The central square at the given size, in [0, 1]. # shape: (C, size, size)"""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    cut = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(cut, dtype=np.float32) / 255
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def normalised(pixels: np.ndarray, config: ImagesConfig) -> tuple[Tensor, Box]:
    """Pixels as the model wants them, and the box of what pixels can be. # shape: (N, C, H, W)"""
    x = torch.from_numpy(pixels)
    if config.mean is None:
        return x, Box(0.0, 1.0)
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (config.mean, config.std))
    return (x - mean) / std, Box((0 - mean) / std, (1 - mean) / std)
