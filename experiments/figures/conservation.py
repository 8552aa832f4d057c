"""Where the explained output goes: what reaches the input, and what stays in which layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.matrices import SIGNED, Matrices, matrices
from experiments.figures.names import printed
from experiments.figures.order import COLOURS
from experiments.figures.stacked import stacked_bars
from experiments.figures.style import width
from experiments.figures.summary import Tables

PARTS = {
    "input": "reaches the input",
    "bias": "in biases",
    "zeroth": "in zeroth terms",
    "remainder": "remainder",
}
HEIGHT, LEGEND = 1.7, 0.3  # inches: of a row of panels, of the legend
KEPT = Matrices("kept", "kept by the layer / output", SIGNED, ("bias_mode",), "bias: {}".format)


def conservation_figures(tables: Tables) -> Mapping[str, Figure]:
    """``conservation``: all layers together. ``kept``: what each layer with weights does not hand down."""
    layers = tables["rows"].query("with_weights")
    kept = layers.assign(kept=layers[["bias", "zeroth", "remainder"]].sum(axis=1))
    return {"conservation": bars(tables["totals"]), "kept": matrices(kept, KEPT)}


def bars(totals: pd.DataFrame) -> Figure:
    """A line of panels for each model, a panel for each bias mode, a bar for each plan."""
    models, modes, plans = (list(totals[column].unique()) for column in ("model", "bias_mode", "plan"))
    figure = Figure(figsize=(width(), HEIGHT * len(models) + LEGEND), layout="constrained")
    panels = figure.subplots(len(models), len(modes), squeeze=False, sharex=True, sharey="row")
    for line, model in zip(panels, models, strict=True):
        for axes, mode in zip(line, modes, strict=True):
            here = totals[(totals.model == model) & (totals.bias_mode == mode)]
            bar_for_each_plan(axes, here.groupby("plan")[list(PARTS)].mean().reindex(plans))
            axes.set_title(f"{printed(model)}, bias: {mode}")
        line[0].set_ylabel("share of the output")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(PARTS), frameon=False)
    return figure


def bar_for_each_plan(axes: Axes, shares: pd.DataFrame) -> None:
    """The parts of the output under each plan; together they are 1."""
    looks = {part: (label, colour) for (part, label), colour in zip(PARTS.items(), COLOURS, strict=False)}
    stacked_bars(axes, shares, looks, 0.75)
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    names = [printed(plan) for plan in shares.index]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
