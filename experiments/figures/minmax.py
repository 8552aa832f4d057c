"""Two digits under three relevance models, and how their relevance adds up."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.panels import Block, heatmap_grid
from experiments.figures.style import COLOURS, MARKERS, width
from experiments.questions.base import Tables

INPUT = "input"


def minmax_figures(tables: Tables) -> Mapping[str, Figure]:
    """``minmax``: heatmaps; ``minmax_sums``: relevance that reaches the input against the score."""
    return {"minmax": heatmaps(tables["pixels"]), "minmax_sums": sums(tables["rows"])}


def heatmaps(pixels: pd.DataFrame) -> Figure:
    """A block for each sample: the image and its relevance under each model."""
    blocks = []
    for sample, part in pixels.groupby("sample", sort=True):
        methods = [method for method in part.method.unique() if method != INPUT]
        planes = {method: plane(group) for method, group in part.groupby("method")}
        totals = [f"{planes[method].sum():.2f}" for method in methods]
        blocks.append(
            Block(
                columns=[printed(method) for method in methods],
                panels=[[planes[method] for method in methods]],
                picture=planes[INPUT],
                above=f"sample {sample}",
                below="",
                notes={"Σ / score": totals},
            )
        )
    return heatmap_grid(blocks)


def plane(pixels: pd.DataFrame) -> np.ndarray:
    """The image of one method. # shape: (H, W)"""
    return pixels.pivot(index="row", columns="column", values="value").to_numpy()


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
