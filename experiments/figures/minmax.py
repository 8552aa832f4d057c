"""Two digits under three relevance models, and how their relevance adds up."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.order import COLOURS, MARKERS
from experiments.figures.style import DIVERGING, width
from experiments.figures.summary import Tables
from experiments.measures.pixels import plane

INPUT = "input"  # the method that is the image itself
TITLE = 0.2  # inches: a panel's title


def minmax_figures(tables: Tables) -> Mapping[str, Figure]:
    """``minmax``: heatmaps; ``minmax_sums``: relevance that reaches the input against the score."""
    return {"minmax": heatmaps(tables["pixels"]), "minmax_sums": sums(tables["rows"])}


def heatmaps(pixels: pd.DataFrame) -> Figure:
    """A row for each sample: the image, and its relevance under each model with what it adds up to."""
    methods = [method for method in pixels.method.unique() if method != INPUT]
    samples = list(pixels.groupby("sample", sort=True))
    first = samples[0][1]
    height, wide = plane(first[first.method == INPUT]).shape
    side = width() / (1 + len(methods))
    tall = len(samples) * (side * height / wide + TITLE)
    figure = Figure(figsize=(width(), tall), layout="constrained")
    panels = figure.subplots(len(samples), 1 + len(methods), squeeze=False)
    for axes, (_, part) in zip(panels, samples, strict=True):
        axes[0].imshow(plane(part[part.method == INPUT]), cmap="gray_r")
        score = part[part.method != INPUT].score.iloc[0]
        axes[0].set_title(f"score {score:.1f}")
        for panel, method in zip(axes[1:], methods, strict=True):
            image = plane(part[part.method == method])
            largest = np.abs(image).max() or 1.0
            panel.imshow(image, cmap=DIVERGING, vmin=-largest, vmax=largest)
            panel.set_title(f"{printed(method)}, Σ = {image.sum():.2f} of it")
    for axes in panels.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def sums(rows: pd.DataFrame) -> Figure:
    """The sum of the relevance against the score, one panel for each method; on the line it is conserved."""
    methods = list(rows.method.unique())
    figure = Figure(figsize=(width(), 2.2), layout="constrained")
    panels = figure.subplots(1, len(methods), squeeze=False, sharex=True, sharey=True)[0]
    largest = max(rows.score.max(), rows.total.max())
    for i, (axes, method) in enumerate(zip(panels, methods, strict=True)):
        part = rows[rows.method == method]
        axes.plot([0, largest], [0, largest], color="0.6", linewidth=mpl.rcParams["axes.linewidth"])
        axes.plot(part.score, part.total, MARKERS[i], color=COLOURS[i], markersize=2, alpha=0.7, markeredgewidth=0)
        axes.set_title(printed(method))
        axes.set_xlabel("score")
    panels[0].set_ylabel("Σ relevance of pixels")
    return figure
