"""Channels of one class in the order of their relevance, each with the images that maximise it and what goes through it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.heatmaps import photo
from experiments.figures.names import printed
from experiments.figures.order import COLOURS
from experiments.figures.style import DIVERGING, width
from experiments.measures.pixels import plane

BAR, HEAD = 0.18, 0.35  # share of the width that the bars take; inches above the first row


def concept_figure(channels: pd.DataFrame, pixels: pd.DataFrame) -> Figure:
    """A row for each channel: its share of the layer's relevance as a bar, then image and relevance, pair by pair."""
    scenes = list(pixels.groupby(["model", "plan", "class_number"], sort=False))
    places = pixels.place.nunique()
    size = width() * (1 - BAR) / (2 * places)
    heights = [HEAD + part["rank"].nunique() * size for _, part in scenes]
    figure = Figure(figsize=(width(), sum(heights)), layout="constrained")
    blocks = np.atleast_1d(figure.subfigures(len(scenes), 1, height_ratios=heights))
    for block, (scene, part) in zip(blocks, scenes, strict=True):
        ranks = sorted(part["rank"].unique())
        ratios = [2 * places * BAR / (1 - BAR), *[1.0] * (2 * places)]
        grid = block.subplots(len(ranks), 1 + 2 * places, squeeze=False, width_ratios=ratios)
        rows = channels[(channels[["model", "plan", "class_number"]] == list(scene)).all(axis=1)]
        block.suptitle(f"{printed(scene[0])}, {printed(scene[1])}: channels of {rows.layer.iloc[0]} for class {scene[2]}")
        for line, rank in zip(grid, ranks, strict=True):
            bar(line[0], rows, rank)
            for place in range(places):
                pair(line[1 + 2 * place : 3 + 2 * place], part[(part["rank"] == rank) & (part.place == place)])
    return figure


def bar(axes, rows: pd.DataFrame, rank: int) -> None:
    """The share of one channel, on the scale of the largest."""
    row = rows[rows["rank"] == rank].iloc[0]
    axes.barh(0, row.share, color=COLOURS[0], height=0.5)
    axes.set_xlim(0, 1.6 * rows.share.max())
    axes.set_ylim(-1, 1)
    axes.text(row.share, 0, f" {row.share:.0%}".replace("%", " %"), va="center")
    axes.set_axis_off()
    axes.text(0, 0.75, f"channel {row.channel}", va="center")


def pair(axes, part: pd.DataFrame) -> None:
    """One image, and the relevance that goes through the channel, each on a scale of its own."""
    for each in axes:
        each.set_axis_off()
    if part.empty:
        return
    planes = {side: plane(pixels) for side, pixels in part.groupby("side")}
    relevance = planes.pop("relevance")
    largest = np.abs(relevance).max() or 1.0
    axes[0].imshow(photo(planes), cmap="gray_r", vmin=0, vmax=1)
    axes[1].imshow(relevance / largest, cmap=DIVERGING, vmin=-1, vmax=1)
