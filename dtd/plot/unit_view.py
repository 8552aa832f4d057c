"""One unit with two inputs: (a) the graph with its relevance model, (b) the function with each root, (c) the terms."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from dtd.domain import Domain, NonNegative
from dtd.errors import check_number, check_parameter
from dtd.plans.rules import catalogue, choose
from dtd.plot.names import rule_name
from dtd.plot.stacked import stacked_bars
from dtd.plot.style import PAGE, PARTS_LOOKS, Picture, in_style, rule_looks
from dtd.plot.unit_rows import UnitView, unit_cuts, unit_rows, unit_surface
from dtd.root import Bias

SHADE, GREY, BACKWARD = "#EFEFEF", "#777777", "#D55E00"
TERMS = {
    "first1": ("$R_1$", "#0072B2"),
    "first2": ("$R_2$", "#56B4E9"),
    "bias_share": PARTS_LOOKS["bias"],
    "zeroth": PARTS_LOOKS["zeroth"],
    "remainder": PARTS_LOOKS["remainder"],
}
NOT_VALID = {
    "valid": "",
    "domain": "outside the domain",
    "not_zero": "not a root",
    "no_root": "no root",
    "region": "outside the region",
}


@in_style
def function_view(
    weights: Sequence[float],
    bias: float,
    point: Sequence[float],
    rules: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("lrp0", "gamma", "zplus", "wsquare"),
    *,
    domain: Domain = NonNegative(),
    mode: Bias = "fixed",
) -> Picture:
    """One unit ``z = w_1 a_1 + w_2 a_2 + b`` with relevance ``R = z`` at a point, and what rules do with it.

    (a) the relevance model between two layers; (b) its contours over the plane, the domain shaded, with each rule's search
    and its root (filled where it is valid); (b') the same along each search; (c) the Taylor terms, which add up to R.

    ``rules`` are names of the catalogue, or their parameters by name; ``mode`` is what becomes of the bias.

    Raises :class:`dtd.InputError` for a unit that is not active at the point, a point outside the domain, or parameters
    that a rule does not take.

    >>> import dtd
    >>> figure = dtd.plot.function_view((3.0, -1.0), 0.0, (1.0, 1.0), ["wsquare"])  # its root is (0.4, 1.2)
    >>> root = next(line for line in figure.axes[1].lines if len(line.get_xdata()) == 1)
    >>> [round(float(x[0]), 6) for x in root.get_data()]
    [0.4, 1.2]
    """
    for name, values in (("weights", weights), ("point", point)):
        check_parameter(len(values) == 2, name, "two numbers", values)
        for value in values:
            check_number(name, value)
    check_number("bias", bias)
    check_parameter(any(weights), "weights", "not both 0", weights)
    asked = {rule: dict(rules[rule]) if isinstance(rules, Mapping) else {} for rule in rules}
    check_parameter(bool(asked), "rules", f"some of {', '.join(catalogue)}", "none")
    for rule, parameters in asked.items():
        choose(rule, mode, **parameters)
    at = UnitView.of(weights, bias, point, domain, asked, mode)
    z = at.units.z.item()
    check_parameter(z > 0, "bias", "such that the unit is active (w·a + b > 0)", f"w·a + b = {z:g}")
    check_parameter(bool(domain.contains(at.a).all()), "point", f"in the domain {domain}", point)
    rows = unit_rows(at)
    return unit_figure(rows, unit_surface(at, rows), unit_cuts(at, rows))


def unit_figure(rows: pd.DataFrame, surface: pd.DataFrame, cuts: pd.DataFrame) -> Picture:
    """The whole picture at page width."""
    figure = Picture(figsize=(PAGE, 4.5), layout="constrained")
    panels = figure.subplot_mosaic(
        [["graph", "plane", "cut"], ["terms"] * 3], height_ratios=[2.7, 1.5], width_ratios=[1.5, 2.5, 2.1]
    )
    graph_view(panels["graph"], rows.iloc[0])
    plane_view(panels["plane"], rows, surface)
    cut_view(panels["cut"], rows, cuts)
    terms_view(panels["terms"], rows)
    titles = {
        "graph": "(a) graph view",
        "plane": "(b) function view",
        "cut": "(b') cut along each search",
        "terms": "(c) Taylor terms",
    }
    for name, title in titles.items():
        panels[name].set_title(title, loc="left")
    return figure


def graph_view(axes: Axes, unit: pd.Series) -> None:
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
        arrow(axes, (5 + 1.6 * side + 0.3, 5.7), (x + 0.3, y + 1.1), BACKWARD, (0, (2, 1)))
        ha = "right" if side < 0 else "left"
        axes.text(5 + 3.2 * side, 4.2, f"$w_{i} = {unit[f'w{i}']:g}$", ha=ha, va="center", fontsize=6)
        axes.text(x, 0.1, f"${unit[f'a{i}']:g}$", ha="center", va="center", color=GREY)
    arrow(axes, (4.7, 9.1), (4.7, 11.3), "black", "-")
    arrow(axes, (5.3, 11.3), (5.3, 9.1), BACKWARD, (0, (2, 1)))
    axes.text(5.8, 10.2, f"$R = {unit.relevance:.3g}$", color=BACKWARD, va="center", fontsize=6)
    axes.text(6.3, 12.4, f"$= {unit.z:.3g}$", va="center", color=GREY)
    axes.text(4.2, 10.2, f"$b = {unit.b:g}$", ha="right", va="center", fontsize=6)


def arrow(axes: Axes, start: tuple, end: tuple, colour: str, style) -> None:
    """An arrow in data coordinates."""
    line = {"linewidth": 0.8, "color": colour, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=6, **line))


def plane_view(axes: Axes, rows: pd.DataFrame, surface: pd.DataFrame) -> None:
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


def cut_view(axes: Axes, rows: pd.DataFrame, cuts: pd.DataFrame) -> None:
    """The relevance model along each rule's line, from the data point to its root and beyond."""
    for r in rows.itertuples():
        colour, marker = rule_looks(rows.rule)[r.rule]
        line = cuts[cuts.rule == r.rule]
        axes.plot(line.distance, line.relevance, color=colour, linewidth=0.8)
        reason = NOT_VALID.get(r.status, r.status)
        label = rule_name(r.rule) + (f": {reason}" if reason else "")
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


def terms_view(axes: Axes, rows: pd.DataFrame) -> None:
    """Stacked Taylor terms of each rule; positive ones upwards, negative ones downwards, their sum is R."""
    stacked_bars(axes, rows, {name: TERMS[name] for name in TERMS if (rows[name].abs() > 1e-12).any()}, 0.6)
    axes.axhline(rows.relevance.iloc[0], color="black", linewidth=0.6, linestyle=":")
    axes.annotate("$R$", (len(rows) - 0.62, rows.relevance.iloc[0]), (0, 1), textcoords="offset points", va="bottom")
    names = [rule_name(r.rule) + wrapped(NOT_VALID.get(r.status, r.status)) for r in rows.itertuples()]
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="relevance", xlim=(-0.6, len(rows) - 0.4))
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def wrapped(reason: str) -> str:
    """A reason below a rule's name, in narrow lines."""
    return "".join(f"\n{line}" for line in textwrap.wrap(reason, 12))
