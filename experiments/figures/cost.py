"""Cost next to gradient × input: one panel for each model, bars by rule and library."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.style import COLOURS, width
from experiments.questions.base import Tables


def cost_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``cost``."""
    return {"cost": bars(tables["rows"])}


def bars(rows: pd.DataFrame) -> Figure:
    """Median ratio to gradient × input; the line goes from the fastest to the slowest round."""
    compared = rows[rows.rule != rows.library]
    models, libraries = list(compared.model.unique()), list(compared.library.unique())
    figure = Figure(figsize=(width(), 2.4), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, model in zip(panels, models, strict=True):
        panel(axes, compared[compared.model == model], libraries)
        seconds = rows[(rows.model == model) & (rows.rule == rows.library)].seconds.median()
        axes.set_title(f"{printed(model)} (gradient × input: {1e3 * seconds:.3g} ms)")
    panels[0].set_ylabel("time / time of gradient × input")
    panels[0].legend(frameon=False, loc="upper left")
    return figure


def panel(axes: Axes, rows: pd.DataFrame, libraries: list[str]) -> None:
    """Bars of one model."""
    rules = list(rows.rule.unique())
    each = 0.8 / len(libraries)
    for i, library in enumerate(libraries):
        ratios = rows[rows.library == library].groupby("rule").ratio.agg(["median", "min", "max"]).reindex(rules)
        x = np.arange(len(rules)) + (i - (len(libraries) - 1) / 2) * each
        spread = (ratios["median"] - ratios["min"], ratios["max"] - ratios["median"])
        axes.bar(x, ratios["median"], each, yerr=spread, color=COLOURS[i], label=library, error_kw={"elinewidth": 0.5})
        for place, ratio, top in zip(x, ratios["median"], ratios["max"], strict=True):
            axes.annotate(number(ratio), (place, top), (0, 1), textcoords="offset points", ha="center", fontsize=5)
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    axes.set_xticks(range(len(rules)), [printed(rule) for rule in rules])
    axes.spines[["top", "right"]].set_visible(False)


def number(ratio: float) -> str:
    """Two digits; nothing for a bar that is not there."""
    return "" if np.isnan(ratio) else f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
