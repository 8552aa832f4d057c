"""Clusters: the plane with the relevance of its points, and how soft minima disagree with hard ones."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.order import COLOURS, rule_looks
from experiments.figures.style import width
from experiments.figures.summary import Tables

HEIGHT = 2.3  # inches
ARROW = 0.9  # the longest one, in units of the plane


def clusters_figures(tables: Tables) -> Mapping[str, Figure]:
    """The figure ``clusters``: relevance as arrows where there is a plane, and the cosine with the hard minimum's."""
    rows, plane = tables["rows"], tables.get("points")
    soft = rows[(rows.stiffness != "hard") & (rows.way != "random")]
    names = list(rows.table.unique())
    figure = Figure(figsize=(width(), HEIGHT), layout="constrained")
    panels = list(figure.subplots(1, len(names) + (plane is not None), squeeze=False)[0])
    if plane is not None:
        arrows(panels.pop(0), plane)
    looks = rule_looks(list(soft.way.unique()))
    for axes, name in zip(panels, names, strict=True):
        for way, part in soft[soft.table == name].groupby("way", sort=False):
            mean = part.assign(beta=part.stiffness.astype(float)).groupby("beta").alike.mean()
            colour, marker = looks[way]
            axes.plot(mean.index, mean, label=printed(way), color=colour, marker=marker)
        axes.set(title=printed(name), xlabel="stiffness β", xscale="log", ylim=(None, 1.02))
    panels[0].set_ylabel("cosine with the hard minimum's")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels) or 1, frameon=False)
    return {"clusters": figure}


def arrows(axes, points) -> None:
    """Samples, centres, and arrows of relevance by column."""
    samples, centres = (points[points.kind == kind] for kind in ("sample", "centre"))
    colours = [COLOURS[int(cluster) % len(COLOURS)] for cluster in samples.cluster]
    longest = float(np.hypot(samples.r_x, samples.r_y).max())
    steps = [ARROW * samples[column] / longest for column in ("r_x", "r_y")]
    axes.quiver(samples.x, samples.y, *steps, color=colours, angles="xy", scale_units="xy", scale=1, width=0.004)
    axes.plot(centres.x, centres.y, "k+", markersize=7)
    axes.set(title="relevance of x and y", aspect="equal")
