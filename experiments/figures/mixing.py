"""Explanations of two classes that become one: cosines by depth, and distances with their bounds, layer by layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtd.plot.style import rule_looks, width
from experiments.figures.names import printed
from experiments.figures.summary import Tables

HEIGHT, LEGEND = 2.1, 0.2  # inches


def mixing_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure of three panels; solid lines are measured, dashed lines are bounds."""
    rows, layers = tables["rows"], tables["layers"]
    looks = rule_looks(rows["plan"].unique())
    deepest = layers[layers["depth"] == layers["depth"].max()]
    figure = Figure(figsize=(width(), HEIGHT + LEGEND), layout="constrained")
    cosines, apart, distance = figure.subplots(1, 3)
    for plan, part in rows.groupby("plan", sort=False):
        means = part.groupby("depth")["cosine"].mean()
        cosines.plot(means.index, means, color=looks[plan][0], marker=looks[plan][1], label=printed(str(plan)))
    cosines.set_xscale("log", base=2)
    cosines.set_xlabel("layers of the network")
    cosines.set_ylabel("cosine of two classes")
    lines(apart, deepest, looks, "apart", "bound")
    apart.set_ylabel("½ Σ|R − R′|")
    pairs = deepest[deepest["layers"] % 2 == 0]
    finite = pairs.groupby("plan")["distance"].transform(lambda values: values.lt(float("inf")).mean()) > 0.5
    lines(distance, pairs[finite], looks, "distance", "distance_bound")
    distance.set_ylabel("Hilbert's distance")
    for axes in (apart, distance):
        axes.set_xlabel("layers passed, from the output")
        axes.set_yscale("log")
    figure.legend(*cosines.get_legend_handles_labels(), loc="outside lower center", ncols=len(looks), frameon=False)
    return {"depth": figure}


def lines(axes: Axes, rows: pd.DataFrame, looks: Mapping[str, tuple[str, str]], value: str, bound: str) -> None:
    """Medians over samples and networks by layer: what is measured, and its bound dashed where it is one below 1."""
    for plan, part in rows.groupby("plan", sort=False):
        medians = part.groupby("layers")[[value, bound]].median()
        axes.plot(medians.index, medians[value], color=looks[plan][0])
        if medians[bound].iloc[-1] < 1:
            axes.plot(medians.index, medians[bound], color=looks[plan][0], linestyle="--")
