"""One digit under every rule: derived above explicit, with root validity and conservation below each pair."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from experiments.figures.names import printed
from experiments.figures.style import DIVERGING, PAGE, STYLE
from experiments.questions.base import Tables

SIDES = ("derived", "explicit")
LEFT, LABELS, RIGHT = 0.03, 0.62, 0.50  # inches: margin, row labels, colour bar with its label
TITLE, NOTES, GAP = 0.16, 0.33, 0.04


def heatmap_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``heatmaps``."""
    with mpl.rc_context(STYLE):
        return {"heatmaps": heatmaps(tables["pixels"], tables["roots"])}


class Canvas:
    """A figure on which axes are placed in inches from the top left corner."""

    def __init__(self, height: float):
        self.height = height
        self.figure = Figure(figsize=(PAGE, height))

    def axes(self, x: float, y: float, width: float, height: float):
        """Axes without ticks."""
        axes = self.figure.add_axes((x / PAGE, 1 - (y + height) / self.height, width / PAGE, height / self.height))
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def text(self, x: float, y: float, text: str, ha: str, va: str = "center") -> None:
        """Text at a place."""
        self.figure.text(x / PAGE, 1 - y / self.height, text, ha=ha, va=va)


def heatmaps(pixels: pd.DataFrame, roots: pd.DataFrame) -> Figure:
    """Two rows of panels for each model. Each pair has its own scale: its largest |relevance|."""
    models = list(pixels.model.unique())
    rules = list(pixels[pixels.side == "derived"].rule.unique())
    size = (PAGE - LEFT - LABELS - RIGHT - GAP * len(rules)) / (len(rules) + 1)
    block = TITLE + 2 * size + GAP + NOTES
    canvas = Canvas(len(models) * block)
    for i, model in enumerate(models):
        draw_model(canvas, i * block + TITLE, size, pixels[pixels.model == model], roots[roots.model == model])
    length = min(1.6, 2 * size + GAP if len(models) == 1 else 1.6)
    bar = canvas.axes(PAGE - RIGHT + 0.06, TITLE + (canvas.height - TITLE - NOTES - length) / 2, 0.07, length)
    scale = ScalarMappable(Normalize(-1, 1), DIVERGING)
    canvas.figure.colorbar(scale, cax=bar, ticks=[-1, 0, 1]).set_label("relevance / max |relevance|", labelpad=1)
    return canvas.figure


def draw_model(canvas: Canvas, top: float, size: float, pixels: pd.DataFrame, roots: pd.DataFrame) -> None:
    """The digit, and one column of panels for each rule."""
    source = pixels[pixels.side == "input"]
    rules = list(source.rule.unique())
    first = LEFT + size + LABELS
    middle = top + size + GAP / 2
    canvas.axes(LEFT, middle - size / 2, size, size).imshow(plane(source[source.rule == rules[0]]), cmap="gray_r")
    canvas.text(LEFT + size / 2, middle - size / 2 - 0.05, printed(source.model.iloc[0]), "center", "bottom")
    canvas.text(LEFT + size / 2, middle + size / 2 + 0.05, f"class {source.target.iloc[0]}", "center", "top")
    rows = [top + (size + GAP) * i for i in range(2)]
    notes = [rows[1] + size + d for d in (0.075, 0.185)]
    heights = [y + size / 2 for y in rows] + notes
    for label, y in zip((*SIDES, "valid roots", "Σ R / f(x)"), heights, strict=True):
        canvas.text(first - 0.05, y, label, "right")
    for column, rule in enumerate(rules):
        x = first + (size + GAP) * column
        here = pixels[pixels.rule == rule]
        images = [plane(here[here.side == side]) for side in SIDES]
        largest = max(np.abs(image).max() for image in images) or 1.0
        for image, y in zip(images, rows, strict=True):
            canvas.axes(x, y, size, size).imshow(image / largest, cmap=DIVERGING, vmin=-1, vmax=1)
        canvas.text(x + size / 2, top - 0.04, printed(rule), "center", "bottom")
        for text, y in zip((valid_share(roots[roots.rule == rule]), conserved(images)), notes, strict=True):
            canvas.text(x + size / 2, y, text, "center")


def valid_share(roots: pd.DataFrame) -> str:
    """Valid roots among all units of the network that receive relevance."""
    counted = roots[roots.units > 0]
    return f"{np.average(counted.valid, weights=counted.units):.0%}".replace("%", " %")


def conserved(images: list[np.ndarray]) -> str:
    """What reaches the input as a share of the explained output; both sides where they differ in print."""
    return " / ".join(dict.fromkeys(f"{image.sum():.2f}".replace("-", "−") for image in images))


def plane(pixels: pd.DataFrame) -> np.ndarray:
    """Pixels as an image."""
    return pixels.pivot(index="row", columns="column", values="value").to_numpy()
