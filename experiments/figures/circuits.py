"""Estimates of what patches do beside what they do: all of them as dots, and one pair of prompts block by block."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtd.plot.style import COLOURS, DIVERGING, width
from experiments.figures.names import printed
from experiments.figures.summary import Tables

TRUE = "activation patching"


def circuit_figures(tables: Tables) -> Mapping[str, Figure]:
    """``scatter``: all pairs; ``map``: the first pair."""
    patches = tables["patches"]
    return {"scatter": scatter(patches, tables["rows"]), "map": maps(patches[patches.pair == patches.pair.min()])}


def scatter(patches: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """A row for each component, a column for each method, a dot for each patch; the line is where both are equal."""
    components, methods = list(patches.component.unique()), list(patches.method.unique())
    side = width() / len(methods)
    figure = Figure(figsize=(width(), 0.75 * side * len(components)), layout="constrained")
    grid = figure.subplots(len(components), len(methods), squeeze=False)
    for line, component in zip(grid, components, strict=True):
        for axes, method in zip(line, methods, strict=True):
            own = patches[(patches.component == component) & (patches.method == method)]
            of_pairs = rows[(rows.component == component) & (rows.method == method)].pearson
            axes.axline((0, 0), slope=1, color="0.7", linewidth=0.6)
            axes.scatter(own.effect, own.estimate, s=3, color=COLOURS[0], alpha=0.4, linewidths=0)
            axes.set_title(f"r = {of_pairs.mean():.2f}".replace("-", "−"), loc="right")
            if component == components[0]:
                axes.set_title(printed(method), loc="left")
        line[0].set_ylabel(f"{component}\nestimate")
    for axes in grid[-1]:
        axes.set_xlabel(TRUE)
    return figure


def maps(patches: pd.DataFrame) -> Figure:
    """A row for each component, a column for the truth and for each method: blocks from left to right, tokens down."""
    components, methods = list(patches.component.unique()), list(patches.method.unique())
    figure = Figure(figsize=(width(), 1.1 * len(components) + 0.2), layout="constrained")
    grid = figure.subplots(len(components), 1 + len(methods), squeeze=False, sharex=True, sharey=True)
    for line, component in zip(grid, components, strict=True):
        mine = patches[patches.component == component]
        columns = {TRUE: mine[mine.method == methods[0]].assign(shown=mine.effect)}
        columns |= {method: mine[mine.method == method].assign(shown=mine.estimate) for method in methods}
        for axes, (name, own) in zip(line, columns.items(), strict=True):
            block_map(axes, own)
            if component == components[0]:
                axes.set_title(printed(name))
        line[0].set_ylabel(component)
    for axes in grid[-1]:
        axes.set_xlabel("block")
    return figure


def block_map(axes: Axes, own: pd.DataFrame) -> None:
    """Blocks × tokens, on colours that end at the largest size of this map."""
    values = own.assign(block=own.block.astype(int)).pivot_table(index="position", columns="block", values="shown")
    largest = float(np.abs(values.to_numpy()).max()) or 1.0
    axes.imshow(values, cmap=DIVERGING, vmin=-largest, vmax=largest, aspect="auto")
    tokens = own.drop_duplicates("position").sort_values("position").token
    axes.set_yticks(range(len(values)), list(tokens))
    axes.set_xticks(range(0, values.shape[1], 10), [str(block) for block in values.columns[::10]])
