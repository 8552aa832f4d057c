"""How images lie in tables: one row for each pixel, with its ``row`` and ``column``."""

import numpy as np
import pandas as pd
from torch import Tensor

CHANNELS = ("red", "green", "blue")  # what the parts of an input in colours are called


def labelled(table: pd.DataFrame, **label: str | int) -> pd.DataFrame:
    """The table with constant columns in front."""
    return pd.DataFrame(label, index=table.index).join(table)


def picture(image: Tensor) -> dict[str, Tensor]:
    """An input by the side that its pixels are filed under: itself, or its colours. # shape: (C, H, W) or (n,)"""
    coloured = image.ndim == 3 and len(image) == len(CHANNELS)
    return dict(zip(CHANNELS, image[:, None], strict=True)) if coloured else {"input": image}


def tidy(image: Tensor) -> pd.DataFrame:
    """One row for each pixel, channels added up. # shape: (C, H, W), or (n,) as one row of pixels"""
    plane = image.sum(0) if image.ndim == 3 else image.reshape(1, -1)
    pixels = pd.DataFrame(plane.numpy()).stack().rename_axis(["row", "column"])
    return pixels.rename("value").reset_index()


def plane(pixels: pd.DataFrame, values: str = "value") -> np.ndarray:
    """One column of the pixels as an image. # shape: (H, W)"""
    return pixels.pivot(index="row", columns="column", values=values).to_numpy()
