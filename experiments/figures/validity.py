"""Shares of valid roots: a matrix of plans × layers for each model, kind of weights and sign of the bias."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.style import width
from experiments.questions.base import Tables

LINE, FRAME = 0.17, 0.55  # inches: height of a plan's line, of what surrounds the matrix
CELL = 0.21  # inches that a number needs
COLOURS = "cividis"
WEIGHTS = {"own": "its own weights", "random": "random weights"}


def validity_figures(tables: Tables) -> Mapping[str, Figure]:
    """``validity``, and ``left``: the share of active units whose root leaves the domain."""
    rows = tables["rows"]
    return {"validity": matrices(rows, "valid", "valid roots"), "left": matrices(rows, "left", "roots outside the domain")}


def matrices(rows: pd.DataFrame, measure: str, label: str) -> Figure:
    """One line of matrices for each model."""
    models = [model for _, model in rows.groupby("model", sort=False)]
    scenes = list(rows[["weights", "bias_sign"]].drop_duplicates().itertuples(index=False, name=None))
    plans = list(rows.plan.unique())
    figure = Figure(figsize=(width(), len(models) * (LINE * len(plans) + FRAME)), layout="constrained")
    panels = figure.subplots(len(models), len(scenes), squeeze=False)
    for line, model in zip(panels, models, strict=True):
        for axes, (weights, sign) in zip(line, scenes, strict=True):
            here = model[(model.weights == weights) & (model.bias_sign == sign)]
            layers = sorted(model.position.unique())
            found = here.pivot_table(index="plan", columns="position", values=measure, aggfunc="mean", dropna=False)
            image = matrix(axes, found.reindex(index=plans, columns=layers).to_numpy(dtype=float), width() / len(scenes))
            axes.set_title(f"{WEIGHTS[weights]}, {sign}")
            axes.set_xticks(range(len(layers)), layers)
            axes.set_yticks([])
        line[0].set_yticks(range(len(plans)), [printed(plan) for plan in plans])
        line[0].set_ylabel(printed(model.model.iloc[0]))
    for axes in panels[-1]:
        axes.set_xlabel("layer, from the input")
    figure.colorbar(image, ax=panels, ticks=[0, 0.5, 1], label=label, fraction=0.03, pad=0.01)
    return figure


def matrix(axes: Axes, values: np.ndarray, room: float):
    """Shares as colours, and as per cent where there is room for numbers."""
    image = axes.imshow(values, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    if room * 0.7 / values.shape[1] >= CELL:
        for (i, j), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{100 * value:.0f}"
            colour = "white" if value < 0.5 else "black"
            axes.text(j, i, text, ha="center", va="center", size="x-small", color=colour)
    axes.tick_params(length=0)
    return image
