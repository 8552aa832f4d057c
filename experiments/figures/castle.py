"""A photo under the rules of the LRP overview, or under its composite over ε and γ; what each panel says in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dtd.plot.panels import Block, heatmap_grid
from experiments.figures.names import printed
from experiments.figures.summary import Tables
from experiments.measures.pixels import CHANNELS, plane

SATURATED = 0.995  # the colour scale ends at this quantile of a panel's |relevance|
LABEL = f"relevance / its {100 * SATURATED:g} % quantile"
DIFFERENCE = "difference"
TITLES = {"lrp0": "LRP-0", "epsilon": "ε =", "gamma_signed": "γ", "composite": "composite"}
NOTES = {
    "valid roots": lambda row: percent(row.valid),
    "at the pixels": lambda row: percent(row.reaches_pixels),
    "in biases": lambda row: percent(row.bias),
    "zeroth, rest": lambda row: percent(row.zeroth + row.remainder),
    "max |d − e|": lambda row: f"{row.max_rel:.0e}".replace("-", "−"),
}
SWEPT = ("at the pixels", "in biases", "zeroth, rest")  # what a sweep says


def castle_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``castle``."""
    rows, pixels = tables["rows"], tables["pixels"]
    swept = rows.rule.eq("composite").all() and len(rows) > rows.pooling.nunique(dropna=False)
    blocks = grids(rows, pixels) if swept else [block(rows, pixels)]
    return {"castle": heatmap_grid(blocks, LABEL)}


def block(rows: pd.DataFrame, pixels: pd.DataFrame) -> Block:
    """The photo, and a column for each rule; with both kinds of pooling a row for each, and one for their difference."""
    kinds = [part for _, part in rows.groupby("pooling", sort=False, dropna=False)]
    images = [[plane(pixels, key) for key in part.key] for part in kinds]
    limits = [np.quantile(np.abs(image), SATURATED) or 1.0 for image in images[0]]
    labels = [pooling(part) for part in kinds]
    if len(kinds) == 2:
        images.append([second - first for first, second in zip(*images, strict=True)])
        labels.append(DIFFERENCE)
    return Block(
        columns=[title(row) for row in kinds[0].itertuples()],
        panels=[[np.clip(i / limit, -1, 1) for i, limit in zip(row, limits, strict=True)] for row in images],
        rows=labels,
        notes=notes(kinds, list(NOTES)),
        **photo(rows, pixels),
    )


def grids(rows: pd.DataFrame, pixels: pd.DataFrame) -> list[Block]:
    """A block for each γ (and pooling), with a column for each ε."""
    made: list[Block] = []
    for (gamma, _), part in rows.groupby(["gamma", "pooling"], sort=False, dropna=False):
        images = [plane(pixels, key) for key in part.key]
        shown = [np.clip(image / (np.quantile(np.abs(image), SATURATED) or 1.0), -1, 1) for image in images]
        kind = pooling(part) if rows.pooling.nunique() > 1 else ""
        label = ", ".join(filter(None, (f"γ = {gamma:g}", kind)))
        columns = ["" if made else f"ε = {epsilon:g}" for epsilon in part.epsilon]
        made.append(Block(columns, [shown], rows=(label,), notes=notes([part], SWEPT)))
    return [replace(made[0], **photo(rows, pixels)), *made[1:]]


def photo(rows: pd.DataFrame, pixels: pd.DataFrame) -> dict[str, np.ndarray | str]:
    """The photo with its captions."""
    first = rows.iloc[0]
    picture = np.stack([plane(pixels, colour) for colour in CHANNELS], -1)
    return {"picture": picture, "above": printed(first.model), "below": f"{first.class_name}, p = {first.probability:.3f}"}


def notes(kinds: list[pd.DataFrame], labels: Sequence[str]) -> dict[str, list[str]]:
    """Under each column: valid roots, and where the output went; by kind of pooling where that makes a difference."""
    columns = list(zip(*(part.itertuples() for part in kinds), strict=True))
    return {label: [" / ".join(dict.fromkeys(map(NOTES[label], each))) for each in columns] for label in labels}


def title(row) -> str:
    """A panel's rule and its number."""
    numbers = {"epsilon": f" {row.epsilon:g} std", "gamma_signed": f" = {row.gamma:g}"}
    return TITLES[row.rule] + numbers.get(row.rule, "")


def pooling(rows: pd.DataFrame) -> str:
    """How max pooling is treated; empty where there is none."""
    kind = rows.pooling.iloc[0]
    return "" if pd.isna(kind) else str(kind)


def percent(share: float) -> str:
    """A share in per cent; of explosions, the order of magnitude."""
    value = 100 * share
    if abs(value) >= 1e4:
        shown = f"{share:.0e}"
    elif abs(value) >= 10:
        shown = f"{value:.0f} %"
    else:
        shown = "0 %" if value == 0 else f"{value:.1f} %" if abs(value) >= 0.05 else "< 0.1 %"
    return shown.replace("-", "−")
