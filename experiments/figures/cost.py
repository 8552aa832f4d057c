"""Cost next to gradient × input, by rule and library, and along the axes of a network's size."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from experiments.figures.names import printed
from experiments.figures.order import COLOURS, MARKERS
from experiments.figures.style import width
from experiments.figures.summary import Tables

BASELINE = "gradient × input"


def cost_figures(tables: Tables) -> Mapping[str, Figure]:
    """``cost``: every model, batch, rule and library. ``scaling``: seconds along each axis."""
    made = {"cost": points(tables["rows"])}
    return made | ({"scaling": lines(tables["scaling"])} if "scaling" in tables else {})


def points(rows: pd.DataFrame) -> Figure:
    """Median ratio to the fastest gradient × input; the line through it goes from the fastest to the slowest round."""
    compared = rows[rows.library != BASELINE]
    panels, libraries = list(compared.groupby(["model", "batch"], sort=False)), list(compared.library.unique())
    figure = Figure(figsize=(width(), 1.9 * len(panels)), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axes, ((model, batch), part) in zip(grid, panels, strict=True):
        panel(axes, part, libraries)
        fastest = part.baseline.iloc[0]
        timed = rows[(rows.model == model) & (rows.batch == batch) & (rows.library == BASELINE)]
        base = timed[timed.rule == fastest].seconds.median()
        axes.set_title(f"{printed(model)}, batch {batch} (gradient × input, {fastest}: {1e3 * base:.3g} ms)")
        logarithmic(axes)
        axes.set_ylabel("time / gradient × input")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(libraries), frameon=False)
    return figure


def lines(rows: pd.DataFrame) -> Figure:
    """Median seconds along each axis, one line for each library."""
    names = list(rows.axis.unique())
    figure = Figure(figsize=(width(), 1.9), layout="constrained")
    grid = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, (name, part) in zip(grid, rows.groupby("axis", sort=False), strict=True):
        for i, (library, each) in enumerate(part.groupby("library", sort=False)):
            middle = each.groupby("value").seconds.median()
            axes.plot(middle.index, 1e3 * middle, "o-", color=COLOURS[i], markersize=2.5, linewidth=1, label=library)
        axes.set_xscale("log", base=2)
        logarithmic(axes)
        axes.set_xticks(list(middle.index), list(map(str, middle.index)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(name)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].set_ylabel("ms")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def logarithmic(axes: Axes) -> None:
    """A logarithmic vertical axis with plain numbers: 1, 2, 5, 10."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def panel(axes: Axes, rows: pd.DataFrame, libraries: list[str]) -> None:
    """One model's ratios: a column for each rule, a point for each library."""
    rules = list(rows.rule.unique())
    each = 0.8 / len(libraries)
    for i, library in enumerate(libraries):
        ratios = rows[rows.library == library].groupby("rule").ratio.agg(["median", "min", "max"]).reindex(rules)
        x = np.arange(len(rules)) + (i - (len(libraries) - 1) / 2) * each
        spread = (ratios["median"] - ratios["min"], ratios["max"] - ratios["median"])
        look = {"color": COLOURS[i], "marker": MARKERS[i], "linestyle": "none", "elinewidth": 0.5}
        axes.errorbar(x, ratios["median"], spread, label=library, **look)
        for place, ratio, top in zip(x, ratios["median"], ratios["max"], strict=True):
            axes.annotate(number(ratio), (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=5)
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    for border in np.arange(1, len(rules)) - 0.5:
        axes.axvline(border, color="0.9", linewidth=0.5)
    axes.set_xlim(-0.5, len(rules) - 0.5)
    axes.margins(y=0.15)
    axes.set_xticks(range(len(rules)), [printed(rule) for rule in rules])
    axes.spines[["top", "right"]].set_visible(False)


def number(ratio: float) -> str:
    """Two digits; nothing for a point that is not there."""
    return "" if np.isnan(ratio) else f"{ratio:#.2g}" if ratio < 9.95 else f"{ratio:.0f}"
