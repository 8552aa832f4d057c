"""Relevance flowing down a network: bars are units, ribbons what they hand to their inputs, and what leaves at a layer."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from torch import Tensor

from dtd.explaining.target import Target
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.plans.recommended import recommended
from dtd.plot.flow_rows import flow_rows
from dtd.plot.style import NEGATIVE, PAGE, PARTS_LOOKS, POSITIVE, Picture, in_style
from dtd.propagation import PARTS

DRAWN_UNITS = 16  # units of a level that are drawn one by one; the rest is one bar
LOSSES = {part: PARTS_LOOKS[part][1] for part in PARTS[1:]}
HALF, APART, SPACE = 0.06, 0.012, 0.14  # half width of a bar, between bars, down to what leaves
MIDDLE = 0.5  # of every column
SMALLEST = 5e-4  # share of the output below which nothing leaves visibly
MERGED = -1


@in_style
def flow(network: Network, x: Tensor, target: Target, plan: Plan | None = None) -> Picture:
    """Relevance of one sample flowing down a small chain of layers: bars are units, ribbons what they hand to their inputs.

    Widths are shares of what is explained, red positive and blue negative. What leaves at a layer, to bias neurons or in
    zeroth terms and remainders, leaves the picture there, with its share; ``Σ R`` is above each layer. Of a layer with more
    than 16 units that carry relevance the largest are drawn one by one and the rest as one bar.

    Raises :class:`dtd.InputError` for a network that is no chain of affine maps and pointwise functions.

    # shape: x (1, *in)

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> figure = dtd.plot.flow(net, torch.ones(1, 2), 0, dtd.Plan.uniform("lrp0"))
    >>> three, one = (bar.get_height() for bar in figure.axes[0].patches if getattr(bar, "xy", (1,))[0] == -0.06)
    >>> float(round(three / one, 3))  # of the inputs 3 and −1
    3.0
    """
    explained = f"class {target}" if isinstance(target, int) else "the target"
    title = f"{type(network.model).__name__}: relevance of {explained} as shares of the output"
    return flow_figure({title: flow_rows(network, x, target, plan or recommended(network))})


def flow_figure(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> Picture:
    """A panel for each title with the tables of :func:`flow_rows`."""
    figure = Picture(figsize=(PAGE, 3.1 * len(panels)), layout="constrained")
    for axes, (title, rows) in zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels.items(), strict=True):
        draw_flow(axes, rows["edges"], rows["units"], rows["layers"])
        axes.set_title(title, loc="left")
    return figure


def draw_flow(axes: Axes, edges: pd.DataFrame, units: pd.DataFrame, layers: pd.DataFrame) -> None:
    """Bars and ribbons of one network."""
    units, edges = merged(units, edges)
    largest = max(part.relevance.abs().sum() for _, part in units.groupby("level"))
    bars = {level: bars_of_level(units[units.level == level], largest) for level in (0, *layers.level)}
    lowest = [part.low.to_numpy().min(initial=MIDDLE) for part in bars.values()]
    for layer in layers.itertuples():
        bottom = ribbons(axes, edges[edges.level == layer.level], bars, layer.level, largest)
        lowest.append(losses(axes, layer, min(bottom, lowest[layer.level]), largest))
    for level, part in bars.items():
        for bar in part.itertuples():
            colour = POSITIVE if bar.relevance > 0 else NEGATIVE
            axes.add_patch(Rectangle((level - HALF, bar.low), 2 * HALF, bar.high - bar.low, facecolor=colour, zorder=3))
            label_bar(axes, level, bar, last=level == len(layers))
        total = part.relevance.sum()
        name = "input" if level == 0 else layers[layers.level == level].layer.iloc[0]
        axes.text(level, 1.10, f"{name}\n" + rf"$\sum R = {total:.3f}$", ha="center", va="bottom")
    axes.set(xlim=(-0.45, len(layers) + 0.45), ylim=(min(lowest) - 0.05, 1.3))
    axes.set_axis_off()


def merged(units: pd.DataFrame, edges: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each level's units without any relevance dropped, and all but its largest merged into one."""
    kept = {}
    for level, part in units.groupby("level"):
        alive = part[part.relevance != 0]
        order = alive.relevance.abs().sort_values(ascending=False).index
        kept[level] = set(alive.loc[order[:DRAWN_UNITS] if len(order) > DRAWN_UNITS + 1 else order, "unit"])

    def rename(numbers: pd.Series, levels: pd.Series) -> list[int]:
        return [n if n in kept[level] else MERGED for n, level in zip(numbers, levels, strict=True)]

    units = units.assign(unit=rename(units.unit, units.level))
    edges = edges.assign(unit=rename(edges.unit, edges.level), input=rename(edges.input, edges.level - 1))
    units = units.groupby(["level", "unit"], as_index=False).relevance.sum()
    edges = edges.groupby(["level", "unit", "input"], as_index=False).relevance.sum()
    return units[units.relevance != 0], edges[edges.relevance != 0]


def bars_of_level(part: pd.DataFrame, largest: float) -> pd.DataFrame:
    """The level's bars from the top down, others last, centred: ``unit relevance low high``."""
    part = part.sort_values("unit", key=lambda unit: unit.where(unit != MERGED, np.inf))
    heights = part.relevance.abs().to_numpy() / largest * (1 - APART * DRAWN_UNITS)
    used = heights.sum() + APART * (len(part) - 1)
    high = MIDDLE + used / 2 - (np.cumsum(heights + APART) - heights - APART)
    return part.assign(low=high - heights, high=high).set_index("unit", drop=False)


def ribbons(axes: Axes, edges: pd.DataFrame, bars: dict[int, pd.DataFrame], level: int, largest: float) -> float:
    """What each unit hands to the bars one level below, each end stacked around its bar's middle; returns the lowest end."""
    thick = edges.assign(width=edges.relevance.abs() / largest * (1 - APART * DRAWN_UNITS))
    thick["right"] = ends(thick, bars[level], "unit", "input")
    thick["left"] = ends(thick, bars[level - 1], "input", "unit")
    for r in thick.itertuples():
        colour = POSITIVE if r.relevance > 0 else NEGATIVE
        ribbon(axes, (level - HALF, r.right), (level - 1 + HALF, r.left), r.width, colour)
    return (thick[["right", "left"]].min(axis=1) - thick.width).to_numpy().min(initial=MIDDLE)


def ends(edges: pd.DataFrame, bars: pd.DataFrame, at: str, across: str) -> pd.Series:
    """Upper end of each ribbon at the bars that ``at`` names."""
    ordered = edges.sort_values([at, across])
    offset = ordered.groupby(at).width.cumsum() - ordered.width
    total = ordered.groupby(at).width.transform("sum")
    middle = ordered[at].map((bars.low + bars.high) / 2)
    return (middle + total / 2 - offset).reindex(edges.index)


def ribbon(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], width: float, colour: str, alpha: float = 0.35
) -> None:
    """A band of constant vertical width between two points, given by its upper ends."""
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    upper = [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]
    lower = [(x, y - width) for x, y in reversed(upper)]
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    axes.add_patch(PathPatch(Path(upper + lower, codes), facecolor=colour, edgecolor="none", alpha=alpha, zorder=2))


def losses(axes: Axes, layer, bottom: float, largest: float) -> float:
    """What leaves at a layer: bands from below its bars, with their shares (negative: a gain); returns the lowest point."""
    y, end = bottom - 0.03, bottom - SPACE
    for part, colour in LOSSES.items():
        value = getattr(layer, part)
        if abs(value) >= SMALLEST:
            width = abs(value) / largest * (1 - APART * DRAWN_UNITS)
            ribbon(axes, (layer.level + HALF, y), (layer.level - 0.42, end), width, colour, 0.8)
            text = f"{part} {100 * value:+.1f} %".replace("-", "−")
            axes.text(layer.level - 0.44, end - width / 2, text, ha="right", va="center", fontsize=6)
            y, end = y - width - 0.01, end - max(width, 0.06) - 0.02
    return min(y, end)


def label_bar(axes: Axes, level: int, bar, last: bool) -> None:
    """The number of a unit beside its bar, where the bar is high enough to tell it from its neighbours."""
    if bar.high - bar.low < 0.03 and not last:
        return
    text = "others" if bar.unit == MERGED else f"class {bar.unit}" if last else f"{bar.unit}"
    side = -1 if level == 0 else 1
    axes.text(
        level + side * (HALF + 0.02),
        (bar.low + bar.high) / 2,
        text,
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=5.5,
        zorder=4,
    )
