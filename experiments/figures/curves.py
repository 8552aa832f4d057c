"""Curves of measures over an axis: a panel for each scene, a line for each of what is compared, bands over runs."""

from collections.abc import Callable, Mapping
from itertools import cycle
from math import ceil

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dtd.plot.style import TALLEST, rule_looks, width
from experiments.figures.names import printed, titled
from experiments.figures.summary import Summary, Tables, averaged

EACH, HEIGHT = 1.4, 1.9  # inches: least width of a panel, height of a row of panels
LEGEND, ENTRY = 0.17, 1.1  # inches: height of a row of the legend, width of an entry
DASHES = ("-", "--", ":", "-.")
MARKS = 12  # about so many markers on a line


def curve_figures(summaries: Mapping[str, Summary]) -> Callable[[Tables], Mapping[str, Figure]]:
    """What draws a figure for each table that is a curve, and for each of its measures."""

    def figures(tables: Tables) -> Mapping[str, Figure]:
        made: dict[str, Figure] = {}
        for name, summary in summaries.items():
            if summary.along is not None:
                rows = tables.get(name, tables["rows"])
                made |= all_curves(name, rows, summary.of(rows))
        return made

    return figures


def all_curves(name: str, rows: pd.DataFrame, summary: Summary) -> dict[str, Figure]:
    """A figure for each measure, by its name in files."""
    several = len(summary.measures) > 1
    return {f"{name}_{measure}" if several else name: curves(rows, summary, measure) for measure in summary.measures}


def curves(rows: pd.DataFrame, summary: Summary, measure: str) -> Figure:
    """Means of one measure along the axis."""
    found = averaged(rows, summary)[measure].reset_index()
    compared = found[list(summary.compared)].astype(str).agg(", ".join, axis=1)
    looks = rule_looks(compared.unique())
    lines, within = found.assign(line=compared), list(summary.within)
    scenes = [group for _, group in lines.groupby(within, sort=False, dropna=False)] if within else [lines]
    most, entries = max(1, int(width() / EACH)), max(1, int(width() / ENTRY))
    down = ceil(len(scenes) / most)
    across, legend = ceil(len(scenes) / down), ceil(len(looks) / entries)
    figure = Figure(figsize=(width(), down * HEIGHT + legend * LEGEND), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True, sharex=True)
    shown = [column for column in summary.within if len(scenes) == 1 or found[column].nunique(dropna=False) > 1]
    for axes, scene in zip(panels.flat, scenes, strict=False):
        panel(axes, scene, summary, looks)
        axes.set_title(", ".join(printed(str(scene[column].iloc[0])) for column in shown))
    for axes in panels.flat[len(scenes) :]:
        axes.set_axis_off()
    for axes in panels[-1]:
        axes.set_xlabel(titled(summary.along))
    for axes in panels[:, 0]:
        axes.set_ylabel(summary.measures[measure].shown)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    for value, dashes in styles(found, summary).items():
        if value is not None:
            handles.append(Line2D([], [], color="#555555", linestyle=dashes))
            labels.append(printed(str(value)))
    figure.set_figheight(min(TALLEST, down * HEIGHT + ceil(len(labels) / entries) * LEGEND))
    figure.legend(handles, labels, loc="outside lower center", ncols=entries, frameon=False)
    return figure


def styles(found: pd.DataFrame, summary: Summary) -> dict[object, str]:
    """The dashes of each value of the column for them; one solid line where there is no such column."""
    values = found[summary.dashed].unique() if summary.dashed else [None]
    return dict(zip(values, cycle(DASHES), strict=False))


def panel(axes: Axes, scene: pd.DataFrame, summary: Summary, looks: Mapping[str, tuple[str, str]]) -> None:
    """The lines of one scene; a band of one standard deviation where there are several runs."""
    along, dashes, told = summary.along, styles(scene, summary), set()
    for (line, value), part in scene.assign(dash=scene[summary.dashed] if summary.dashed else 0).groupby(
        ["line", "dash"], sort=False
    ):
        colour, marker = looks[line]
        every = max(1, len(part) // MARKS)
        label = "_" if line in told else ", ".join(printed(word) for word in line.split(", "))
        told.add(line)
        x, dash = part[along], dashes[value if summary.dashed else None]
        axes.plot(x, part["mean"], color=colour, marker=marker, markevery=every, linestyle=dash, label=label)
        if part["std"].notna().any():
            axes.fill_between(
                x, part["mean"] - part["std"], part["mean"] + part["std"], color=colour, alpha=0.2, linewidth=0
            )
    if pd.api.types.is_integer_dtype(scene[along]):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
