"""Measures by depth: a column of panels for each scene, a row for each measure, a line for each plan."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.figures.names import printed
from experiments.figures.order import rule_looks
from experiments.figures.style import width
from experiments.figures.summary import Tables

HEIGHT, LEGEND, ENTRY = 1.5, 0.2, 1.1  # inches: a row of panels, a row of the legend, an entry of it


def depth_figures(name: str, measures: Mapping[str, str], scenes: Sequence[str], line: str = "plan") -> Callable:
    """What draws one figure from ``rows``; ``measures`` are columns with their labels."""

    def figures(tables: Tables) -> Mapping[str, Figure]:
        rows = tables["rows"]
        groups = list(rows.groupby(list(scenes), sort=False))
        looks = rule_looks(rows[line].unique())
        entries = max(1, int(width() / ENTRY))
        rows_of_legend = -(-len(looks) // entries)
        figure = Figure(figsize=(width(), HEIGHT * len(measures) + LEGEND * rows_of_legend), layout="constrained")
        panels = figure.subplots(len(measures), len(groups), squeeze=False, sharex=True, sharey="row")
        for column, (scene, part) in enumerate(groups):
            panels[0, column].set_title(", ".join(printed(str(value)) for value in scene))
            for axes, measure in zip(panels[:, column], measures, strict=True):
                for plan, group in part.groupby(line, sort=False):
                    means = group.groupby("depth")[measure].mean()
                    axes.plot(means.index, means, label=printed(str(plan)), color=looks[plan][0], marker=looks[plan][1])
        for axes, label in zip(panels[:, 0], measures.values(), strict=True):
            axes.set_ylabel(label)
        for axes in panels[-1]:
            axes.set_xlabel("layer with weights, from the input")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=entries, frameon=False)
        return {name: figure}

    return figures
