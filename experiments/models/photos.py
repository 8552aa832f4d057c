"""What classifiers of photos expect of their input, and the box that it then lives in."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.domain import Box
from experiments.configs.base import require
from experiments.data import Data


@dataclass(frozen=True)
class Preprocessing:
    """``(pixel − mean) / std`` by channel, on the centre of a photo whose short side has been resized."""

    mean: tuple[float, float, float]  # of pixels between 0 and 1
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    margin: float = 256 / 224  # the short side, as a multiple of what is cut out

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels between 0 and 1 as the network sees them. # shape: (N, 3, H, W) both"""
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (pixels - mean) / std

    @property
    def domain(self) -> Box:
        """The normalised pixels' box, bounds for each channel: those of z^B."""
        low, high = (self.normalised(torch.full((1, 3, 1, 1), bound)) for bound in (0.0, 1.0))
        return Box(low, high)

    def cut(self, photos: Tensor, size: int) -> Tensor:
        """Centres of ``size`` × ``size`` pixels. # shape: (N, 3, H, W) -> (N, 3, size, size)"""
        scale = round(size * self.margin) / min(photos.shape[2:])
        shape = [max(size, round(side * scale)) for side in photos.shape[2:]]
        resized = F.interpolate(photos, shape, mode=self.interpolation, antialias=True).clamp(0, 1)
        top, left = ((side - size) // 2 for side in shape)
        return resized[:, :, top : top + size, left : left + size].contiguous()

    def inputs(self, data: Data, size: int) -> tuple[Tensor, Tensor]:
        """The data's training and test photos as the network sees them."""
        shape = tuple(data.test_x.shape[1:])
        fits = len(shape) == 3 and shape[0] == 3 and data.domain.within(Box(0.0, 1.0))
        found = f"samples of shape {shape} in {data.domain}"
        require(fits, "data", "photos in colour with pixels in [0, 1], such as data=photo", found)
        return tuple(self.normalised(self.cut(photos, size)) for photos in (data.train_x, data.test_x))


TORCHVISION = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
EFFICIENTNET_LITE = Preprocessing((127 / 255,) * 3, (128 / 255,) * 3, "bicubic")
