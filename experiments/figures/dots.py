"""Means of measures as dots with bars of one standard deviation: a panel for each scene and measure."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dtd.plot.style import TALLEST, rule_looks, width
from experiments.figures.names import printed
from experiments.figures.summary import Summary, averaged

EACH, LINE, HEAD = 0.85, 0.17, 0.55  # inches: least width of a panel, height of a line, of title and axis
TICKS, SPAN = 3, 0.02  # intervals of an axis, and its least length, as a share of the values: noise is not magnified
NAMES = 1.0  # inches: what the names at the left take


def dots(rows: pd.DataFrame, summary: Summary) -> Figure:
    """One line for each of what is compared."""
    found = averaged(rows, summary).reset_index()
    names = found[list(summary.compared)].astype(str).agg(", ".join, axis=1)
    looks = rule_looks(names.unique())
    scenes = found.groupby(list(summary.within), sort=False, dropna=False) if summary.within else [((), found)]
    panels = [(scene, part, name) for scene, part in scenes for name in summary.measures]
    across = max(1, min(len(summary.measures), int((width() - NAMES) / EACH)))
    down = ceil(len(panels) / across)
    figure = Figure(figsize=(width(), min(TALLEST, down * (HEAD + LINE * len(looks)))), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    places = {name: -i for i, name in enumerate(looks)}
    for axes, (scene, part, name) in zip(grid.flat, panels, strict=False):
        for line, (colour, marker) in looks.items():
            value = part[names.loc[part.index] == line][name]
            if len(value):
                mean, std = value["mean"].iloc[0], value["std"].iloc[0]
                axes.errorbar(mean, places[line], xerr=None if np.isnan(std) else std, color=colour, marker=marker)
        if across < len(summary.measures) or part is panels[-1][1]:  # below each column once, where it is of one measure
            axes.set_xlabel(summary.measures[name].shown)
        axes.set_title(", ".join(printed(str(value)) for value in scene))
        axes.set_yticks(list(places.values()), [", ".join(map(printed, line.split(", "))) for line in looks])
        axes.set_ylim(0.5 - len(looks), 0.5)
        low, high = axes.get_xlim()
        least = SPAN * max(abs(low), abs(high)) - (high - low)
        if least > 0:
            axes.set_xlim(low - least / 2, high + least / 2)
        axes.xaxis.set_major_locator(MaxNLocator(TICKS))
        axes.xaxis.set_major_formatter("{x:.3g}")
        axes.grid(axis="y", linewidth=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return figure
