"""Graphs with their most relevant walks: a row for each graph, a column for each plan."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtd.plot.style import NEGATIVE, POSITIVE, width
from experiments.figures.names import printed
from experiments.figures.summary import Tables

PLANTED = "#F4A582"
WIDEST = 3.0  # points: the line of the walk of largest |relevance|
APART = 0.03  # of the drawing: walks over one edge are drawn beside each other


def walk_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``walks``."""
    nodes, edges, walks = (tables[name] for name in ("nodes", "edges", "walks"))
    graphs, plans = list(nodes.graph.unique()), list(walks.plan.unique())
    side = width() / len(plans)
    figure = Figure(figsize=(width(), side * len(graphs) + 0.25), layout="constrained")
    grid = figure.subplots(len(graphs), len(plans), squeeze=False)
    for row, graph in zip(grid, graphs, strict=True):
        for axes, plan in zip(row, plans, strict=True):
            mine = walks[(walks.graph == graph) & (walks.plan == plan)]
            drawn(axes, nodes[nodes.graph == graph], edges[edges.graph == graph], mine)
            if graph == graphs[0]:
                axes.set_title(printed(plan))
    return {"walks": figure}


def drawn(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame, walks: pd.DataFrame) -> None:
    """Nodes, the planted ones in colour, thin lines for edges, and walks that speak for the motif (red) or against it."""
    places = nodes.set_index("node")[["x", "y"]].to_numpy()
    for one, other in edges[["one", "other"]].to_numpy():
        axes.plot(*places[[one, other]].T, color="0.8", linewidth=0.6, zorder=1)
    colours = [PLANTED if planted else "0.75" for planted in nodes.motif]
    axes.scatter(nodes.x, nodes.y, c=colours, s=14, zorder=3, edgecolors="0.4", linewidths=0.4)
    largest = walks.relevance.abs().max()
    for number, (_, walk) in enumerate(walks.groupby("walk")):
        size = abs(walk.relevance.iloc[0]) / largest if largest else 0.0
        way = places[walk.sort_values("step").node.to_numpy()]
        beside = APART * np.array([np.cos(2.4 * number), np.sin(2.4 * number)])  # the golden angle spreads them
        colour = POSITIVE if walk.relevance.iloc[0] > 0 else NEGATIVE
        line = {"color": colour, "linewidth": WIDEST * size, "alpha": 0.3 + 0.4 * size, "solid_capstyle": "round"}
        axes.plot(*(way + beside).T, zorder=2, **line)
    axes.set_aspect("equal")
    axes.set_axis_off()
