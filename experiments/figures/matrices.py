"""Matrices of plans × layers: a line of them for each model, a matrix for each scene."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from dtd.plot.matrix import matrix
from dtd.plot.style import DIVERGING, width
from experiments.figures.names import printed

LINE, FRAME = 0.17, 0.55  # inches: height of a plan's line, of what surrounds the matrix
SIGNED = (DIVERGING, -1.0, 1.0)  # colours, and what their ends stand for


@dataclass(frozen=True)
class Matrices:
    """A column of rows with ``model plan position``: its name in print, its colours, and what tells scenes apart."""

    measure: str
    label: str
    scale: tuple[str, float, float]
    scene: tuple[str, ...]
    title: Callable[..., str]  # from a scene's values


def matrices(rows: pd.DataFrame, drawn: Matrices) -> Figure:
    """Values in per cent where there is room for numbers; means, where rows come from several runs."""
    models = [model for _, model in rows.groupby("model", sort=False)]
    scenes = list(rows[list(drawn.scene)].drop_duplicates().itertuples(index=False, name=None))
    plans = list(rows.plan.unique())
    figure = Figure(figsize=(width(), len(models) * (LINE * len(plans) + FRAME)), layout="constrained")
    panels = figure.subplots(len(models), len(scenes), squeeze=False)
    for line, model in zip(panels, models, strict=True):
        layers = sorted(model.position.unique())
        for axes, scene in zip(line, scenes, strict=True):
            here = model[(model[list(drawn.scene)] == scene).all(axis=1)]
            found = here.pivot_table(index="plan", columns="position", values=drawn.measure, aggfunc="mean", dropna=False)
            values = found.reindex(index=plans, columns=layers).to_numpy(dtype=float)
            image = matrix(axes, values, drawn.scale, 0.7 * width() / len(scenes))
            axes.set_title(drawn.title(*scene))
            axes.set_xticks(range(len(layers)), [str(i + 1) for i in range(len(layers))])
            axes.set_yticks([])
        line[0].set_yticks(range(len(plans)), [printed(plan) for plan in plans])
        line[0].set_ylabel(printed(model.model.iloc[0]))
    for axes in panels[-1]:
        axes.set_xlabel("layer, from the input")
    _, low, high = drawn.scale
    beyond = "both" if low < 0 else "neither"
    ticks = [low, (low + high) / 2, high]
    figure.colorbar(image, ax=panels, ticks=ticks, label=drawn.label, fraction=0.03, pad=0.01, extend=beyond)
    return figure
