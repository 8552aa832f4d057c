"""A one-class model in the plane: its score, samples with the arrows of their relevance, and their roots."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.order import COLOURS
from experiments.figures.style import DIVERGING, width
from experiments.figures.summary import Tables

HEIGHT = 2.4  # inches


def anomaly_figures(tables: Tables) -> Mapping[str, Figure]:
    """The figure ``anomaly``: a panel for each kernel width."""
    gammas = list(tables["field"].gamma.unique())
    figure = Figure(figsize=(width(), HEIGHT), layout="constrained")
    panels = figure.subplots(1, len(gammas), squeeze=False, sharex=True, sharey=True)[0]
    for axes, gamma in zip(panels, gammas, strict=True):
        points = tables["points"]
        panel(axes, tables["field"][tables["field"].gamma == gamma], points[points.gamma == gamma])
        axes.set_title(f"γ = {gamma:g}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return {"anomaly": figure}


def panel(axes: Axes, field: pd.DataFrame, points: pd.DataFrame) -> None:
    """One model."""
    grid = field.pivot_table(index="y", columns="x", values="score")
    most = float(field.score.abs().max())
    levels = [most * k / 6 for k in range(-6, 7)]
    axes.contourf(grid.columns, grid.index, grid.to_numpy(), levels=levels, cmap=DIVERGING, alpha=0.6)
    axes.contour(grid.columns, grid.index, grid.to_numpy(), levels=[0.0], colors="black", linewidths=0.8)
    kinds = {kind: part[["x", "y"]].to_numpy() for kind, part in points.groupby("kind", sort=False)}
    axes.plot(*kinds["data"].T, ".", color="#777777", markersize=1.5, label="fitted on")
    axes.plot(*kinds["sample"].T, "o", color="black", markersize=3, label="explained")
    for sample, nearest, pooled in zip(kinds["sample"], kinds["nearest"], kinds["pooled"], strict=True):
        axes.plot(*zip(sample, nearest, strict=True), "-", color=COLOURS[0], linewidth=0.7)
        axes.plot(*zip(sample, pooled, strict=True), "--", color=COLOURS[1], linewidth=0.7)
    axes.plot(*kinds["nearest"].T, "s", color=COLOURS[0], label="nearest root")
    axes.plot(*kinds["pooled"].T, "D", color=COLOURS[1], label="mean of the pooled roots")
    low, high = field.x.min(), field.x.max()
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
