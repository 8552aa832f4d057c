"""Pairs of images with lines between the patches that make them alike: one row for each pair, a column for each plan."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtd.plot.style import NEGATIVE, POSITIVE, width
from experiments.figures.names import printed
from experiments.figures.summary import Tables
from experiments.measures.pixels import plane

BETWEEN = 3  # pixels between the two images
WIDEST, NARROWEST = 1.6, 0.3  # points: the line of the largest |relevance|, and of one near 0


def similarity_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure for each model, ``similarity_MODEL``."""
    lines, pixels = tables["lines"], tables["pixels"]
    return {
        f"similarity_{model}": drawn(part, pixels[pixels.model == model])
        for model, part in lines.groupby("model", sort=False)
    }


def drawn(lines: pd.DataFrame, pixels: pd.DataFrame) -> Figure:
    """All pairs of one model."""
    pairs, plans = list(pixels.pair.unique()), list(lines.plan.unique())
    line = mpl.rcParams["font.size"] / 72
    images = {key: plane(part) for key, part in pixels.groupby(["pair", "side"])}
    high, wide = images[pairs[0], "left"].shape
    side = width() / len(plans)
    height = len(pairs) * (side * high / (2 * wide + BETWEEN) + 2.2 * line) + 1.6 * line
    figure = Figure(figsize=(width(), height), layout="constrained")
    grid = figure.subplots(len(pairs), len(plans), squeeze=False)
    for row, pair in zip(grid, pairs, strict=True):
        for axes, plan in zip(row, plans, strict=True):
            connected(axes, images[pair, "left"], images[pair, "right"], lines[(lines.pair == pair) & (lines.plan == plan)])
            if pair == pairs[0]:
                axes.set_title(printed(plan))
        row[0].set_ylabel(str(pixels[pixels.pair == pair].kind.iloc[0]).replace(" ", "\n"))
    return figure


def connected(axes: Axes, left: np.ndarray, right: np.ndarray, lines: pd.DataFrame) -> None:
    """Two images side by side; red lines speak for the similarity, blue ones against it, and their width is ``|R_ij|``."""
    gap = np.full((left.shape[0], BETWEEN), np.nan)
    axes.imshow(np.concatenate([left, gap, right], 1), cmap="Greys", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    largest = lines.relevance.abs().max()
    for each in lines.iloc[::-1].itertuples():
        size = abs(each.relevance) / largest if largest else 0.0
        axes.plot(
            [each.left_column, each.right_column + left.shape[1] + BETWEEN],
            [each.left_row, each.right_row],
            color=POSITIVE if each.relevance > 0 else NEGATIVE,
            linewidth=NARROWEST + (WIDEST - NARROWEST) * size,
            alpha=0.25 + 0.75 * size,
        )
    axes.set_xlabel(f"Σ R / s = {lines.conserved.iloc[0]:.2f}".replace("-", "−"))
