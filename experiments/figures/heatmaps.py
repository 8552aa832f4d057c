"""Samples under rules or plans: derived above explicit, with root validity and conservation below each column."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dtd.plot.panels import Block, heatmap_grid
from dtd.plot.values import in_range
from experiments.figures.names import printed
from experiments.figures.summary import Tables
from experiments.measures.pixels import CHANNELS, plane

SIDES = ("derived", "explicit")
VALID, CONSERVED = "valid roots", "Σ R / f(x)"


def heatmap_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``heatmaps``: a block for each model and sample, a column for each rule or plan."""
    pixels, roots = tables["pixels"], tables["roots"]
    column, scenes = "plan" if "plan" in pixels else "rule", ["model", "sample"]
    found = dict(iter(roots.groupby(scenes)))
    blocks = [block(part, found.get(scene, roots[:0]), column) for scene, part in pixels.groupby(scenes, sort=False)]
    return {"heatmaps": heatmap_grid(blocks)}


def block(pixels: pd.DataFrame, roots: pd.DataFrame, column: str) -> Block:
    """The picture of one sample, and a column of panels for each rule or plan."""
    relevant = pixels.side.isin(SIDES)
    sides, names = [side for side in SIDES if (pixels.side == side).any()], list(pixels[column].unique())
    images = {key: plane(part) for key, part in pixels[relevant].groupby([column, "side"])}
    source = pixels[~relevant & (pixels[column] == names[0])]
    return Block(
        columns=[printed(name) for name in names],
        panels=[[images.get((name, side)) for name in names] for side in sides],
        rows=sides,
        picture=photo({side: plane(part) for side, part in source.groupby("side")}),
        above=printed(pixels.model.iloc[0]),
        below=str(pixels.class_name.iloc[0]) if "class_name" in pixels else f"class {pixels.target.iloc[0]}",
        notes={
            VALID: [valid_share(roots[roots[column] == name]) for name in names],
            CONSERVED: [conserved([images[name, side] for side in sides if (name, side) in images]) for name in names],
        },
    )


def photo(planes: Mapping[str, np.ndarray]) -> np.ndarray:
    """The input in grey or in colours, its range made [0, 1] where it is another. # shape: (H, W) or (H, W, 3)"""
    coloured = set(planes) == set(CHANNELS)
    image = np.stack([planes[colour] for colour in CHANNELS], -1) if coloured else planes["input"]
    return in_range(image)


def valid_share(roots: pd.DataFrame) -> str:
    """Valid roots among all units of the network that receive relevance; a dash where nothing has roots."""
    counted = roots[roots.units > 0]
    if counted.empty:
        return "–"
    return f"{np.average(counted.valid, weights=counted.units):.0%}".replace("%", " %")


def conserved(images: list[np.ndarray]) -> str:
    """What reaches the input as a share of the explained output; both sides where they differ in print."""
    return " / ".join(dict.fromkeys(f"{image.sum():.2f}".replace("-", "−") for image in images))
