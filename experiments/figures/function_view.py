"""One unit with two inputs: (a) the graph with its relevance model, (b) the function with each root, (c) the terms."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from experiments.figures.flow import flow_figure
from experiments.figures.interactive import page
from experiments.figures.names import printed
from experiments.figures.order import rule_looks
from experiments.figures.stacked import stacked_bars
from experiments.figures.style import PAGE
from experiments.figures.summary import Tables

SHADE, GREY, RELEVANCE = "#EFEFEF", "#777777", "#D55E00"
TERMS = {
    "first1": ("$R_1$", "#0072B2"),
    "first2": ("$R_2$", "#56B4E9"),
    "bias_share": ("bias neuron", "#CC79A7"),
    "zeroth": ("zeroth order", "#E69F00"),
    "remainder": ("remainder", "#999999"),
}
REASONS = {
    "valid": "",
    "domain": "outside the domain",
    "not_zero": "not a root",
    "no_root": "no root",
    "region": "outside the region",
}


def function_view_figures(tables: Tables) -> Mapping[str, Figure | str]:
    """The figures ``function_view`` and ``flow``, and the page ``function_view.html``."""
    return {
        "function_view": function_view(tables["rows"], tables["surface"], tables["cuts"]),
        "flow": flow_figure(tables["flow_edges"], tables["flow_units"], tables["flow_layers"]),
        "function_view.html": page(tables["rows"], tables["formulas"]),
    }


def function_view(rows: pd.DataFrame, surface: pd.DataFrame, cuts: pd.DataFrame) -> Figure:
    """The whole picture at page width."""
    figure = Figure(figsize=(PAGE, 4.5), layout="constrained")
    panels = figure.subplot_mosaic(
        [["graph", "plane", "cut"], ["terms"] * 3], height_ratios=[2.7, 1.5], width_ratios=[1.5, 2.5, 2.1]
    )
    graph(panels["graph"], rows.iloc[0])
    plane(panels["plane"], rows, surface)
    cut(panels["cut"], rows, cuts)
    terms(panels["terms"], rows)
    titles = {
        "graph": "(a) graph view",
        "plane": "(b) function view",
        "cut": "(b') cut along each search",
        "terms": "(c) Taylor terms",
    }
    for name, title in titles.items():
        panels[name].set_title(title, loc="left")
    return figure


def graph(axes: Axes, unit: pd.Series) -> None:
    """Inputs, unit and relevance, with the relevance model between the layers; solid: forward, dashed: relevance."""
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(0, 14))
    places = {"$a_1$": (1.8, 1.6), "$a_2$": (8.2, 1.6), "$z$": (5, 12.4)}
    for name, (x, y) in places.items():
        axes.scatter([x], [y], 300, color="white", edgecolors="black", linewidths=0.7, zorder=3)
        axes.text(x, y, name, ha="center", va="center", zorder=4)
    frame = {"boxstyle": "round,pad=0.6", "facecolor": SHADE, "linewidth": 0.7}
    model = "relevance model\n" + r"$\hat R(a) = c\,\max(0, z(a))$"
    axes.text(5, 7.3, model, ha="center", va="center", fontsize=6, linespacing=1.6, bbox=frame, zorder=3)
    for i, side in ((1, -1), (2, 1)):
        x, y = places[f"$a_{i}$"]
        arrow(axes, (x - 0.3, y + 1.1), (5 + 1.6 * side - 0.3, 5.7), "black", "-")
        arrow(axes, (5 + 1.6 * side + 0.3, 5.7), (x + 0.3, y + 1.1), RELEVANCE, (0, (2, 1)))
        ha = "right" if side < 0 else "left"
        axes.text(5 + 3.2 * side, 4.2, f"$w_{i} = {unit[f'w{i}']:g}$", ha=ha, va="center", fontsize=6)
        axes.text(x, 0.1, f"${unit[f'a{i}']:g}$", ha="center", va="center", color=GREY)
    arrow(axes, (4.7, 9.1), (4.7, 11.3), "black", "-")
    arrow(axes, (5.3, 11.3), (5.3, 9.1), RELEVANCE, (0, (2, 1)))
    axes.text(5.8, 10.2, f"$R = {unit.relevance:.3g}$", color=RELEVANCE, va="center", fontsize=6)
    axes.text(6.3, 12.4, f"$= {unit.z:.3g}$", va="center", color=GREY)
    axes.text(4.2, 10.2, f"$b = {unit.b:g}$", ha="right", va="center", fontsize=6)


def arrow(axes: Axes, start: tuple, end: tuple, colour: str, style) -> None:
    """An arrow in data coordinates."""
    line = {"linewidth": 0.8, "color": colour, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=6, **line))


def plane(axes: Axes, rows: pd.DataFrame, surface: pd.DataFrame) -> None:
    """Contours of the relevance model, the domain shaded, the data point, and each rule's search and root."""
    grid = surface.pivot(index="a2", columns="a1", values="relevance")
    x, y = grid.columns.to_numpy(), grid.index.to_numpy()
    unit = rows.iloc[0]
    left, right = max(unit.low, x[0]), min(unit.high, x[-1])
    bottom, top = max(unit.low, y[0]), min(unit.high, y[-1])
    axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, facecolor=SHADE, edgecolor="none", zorder=0))
    lines = axes.contour(x, y, grid, levels=np.linspace(0, grid.to_numpy().max(), 9)[1:], colors=GREY, linewidths=0.4)
    axes.clabel(lines, fontsize=5, fmt="%.1f")
    xx, yy = np.meshgrid(x, y)
    axes.contour(x, y, unit.w1 * xx + unit.w2 * yy + unit.b, levels=[0], colors="black", linewidths=1.0)
    for r in rows.itertuples():
        colour, marker = rule_looks(rows.rule)[r.rule]
        axes.plot([r.a1, r.root1], [r.a2, r.root2], color=colour, linewidth=0.8, zorder=4)
        face = colour if r.status == "valid" else "white"
        axes.plot(r.root1, r.root2, marker, markersize=5, color=colour, markerfacecolor=face, markeredgewidth=0.9, zorder=5)
    axes.plot(unit.a1, unit.a2, "o", color="black", markersize=4, zorder=6)
    axes.annotate("$a$", (unit.a1, unit.a2), (4, 3), textcoords="offset points")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="$a_1$", ylabel="$a_2$", aspect="equal")


def cut(axes: Axes, rows: pd.DataFrame, cuts: pd.DataFrame) -> None:
    """The relevance model along each rule's line, from the data point to its root and beyond."""
    for r in rows.itertuples():
        colour, marker = rule_looks(rows.rule)[r.rule]
        line = cuts[cuts.rule == r.rule]
        axes.plot(line.distance, line.relevance, color=colour, linewidth=0.8)
        reason = REASONS.get(r.status, r.status)
        label = printed(r.rule) + (f": {reason}" if reason else "")
        face = colour if r.status == "valid" else "white"
        axes.plot(
            r.distance,
            r.zeroth,
            marker,
            markersize=5,
            color=colour,
            markerfacecolor=face,
            markeredgewidth=0.9,
            label=label,
            clip_on=False,
            zorder=5,
        )
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set(
        xlabel=r"distance $\|a - \tilde a\|$ from the data point",
        ylabel=r"$\hat R$",
        xlim=(0, None),
        ylim=(None, 1.75 * rows.relevance.max()),
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right", fontsize=5.5, handlelength=1, labelspacing=0.25, borderaxespad=0)


def terms(axes: Axes, rows: pd.DataFrame) -> None:
    """Stacked Taylor terms of each rule; positive ones upwards, negative ones downwards, their sum is R."""
    stacked_bars(axes, rows, {name: TERMS[name] for name in TERMS if (rows[name].abs() > 1e-12).any()}, 0.6)
    axes.axhline(rows.relevance.iloc[0], color="black", linewidth=0.6, linestyle=":")
    axes.annotate("$R$", (len(rows) - 0.62, rows.relevance.iloc[0]), (0, 1), textcoords="offset points", va="bottom")
    names = [printed(r.rule) + wrapped(REASONS.get(r.status, r.status)) for r in rows.itertuples()]
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="relevance", xlim=(-0.6, len(rows) - 0.4))
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def wrapped(reason: str) -> str:
    """A reason below a rule's name, in narrow lines."""
    return "".join(f"\n{line}" for line in textwrap.wrap(reason, 12))
