"""One sample under every rule: derived above explicit, with root validity and conservation below each pair."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.panels import Block, heatmap_grid
from experiments.questions.base import Tables

SIDES = ("derived", "explicit")
VALID, CONSERVED = "valid roots", "Σ R / f(x)"


def heatmap_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``heatmaps``."""
    pixels, roots = tables["pixels"], tables["roots"]
    models = pixels.groupby("model", sort=False)
    return {"heatmaps": heatmap_grid([block(part, roots[roots.model == name]) for name, part in models])}


def block(pixels: pd.DataFrame, roots: pd.DataFrame) -> Block:
    """The picture of one model's sample, and a column for each rule."""
    sides = [side for side in SIDES if (pixels.side == side).any()]
    rules = list(pixels[pixels.side == SIDES[0]].rule.unique())
    images = {key: plane(part) for key, part in pixels.groupby(["rule", "side"], sort=False)}
    source = pixels[pixels.side == "input"]
    return Block(
        columns=[printed(rule) for rule in rules],
        panels=[[images.get((rule, side)) for rule in rules] for side in sides],
        rows=sides,
        picture=images[rules[0], "input"],
        above=printed(source.model.iloc[0]),
        below=f"class {source.target.iloc[0]}",
        notes={
            VALID: [valid_share(roots[roots.rule == rule]) for rule in rules],
            CONSERVED: [conserved([images[rule, side] for side in sides if (rule, side) in images]) for rule in rules],
        },
    )


def valid_share(roots: pd.DataFrame) -> str:
    """Valid roots among all units of the network that receive relevance."""
    counted = roots[roots.units > 0]
    return f"{np.average(counted.valid, weights=counted.units):.0%}".replace("%", " %")


def conserved(images: list[np.ndarray]) -> str:
    """What reaches the input as a share of the explained output; both sides where they differ in print."""
    return " / ".join(dict.fromkeys(f"{image.sum():.2f}".replace("-", "−") for image in images))


def plane(pixels: pd.DataFrame) -> np.ndarray:
    """Pixels as an image."""
    return pixels.pivot(index="row", columns="column", values="value").to_numpy()
