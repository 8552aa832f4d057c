"""Relevance of what is no image: columns of a table as bars, time series as curves on the colours of their relevance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dtd.errors import check_parameter
from dtd.plot.style import DIVERGING, NEGATIVE, POSITIVE, Picture, in_style, width
from dtd.plot.values import (
    Channels,
    Scale,
    check_level,
    given_names,
    limit_of,
    numbers,
    relevance_of,
    shown_shape_of,
)

BAR, FRAME, TRACE = 0.16, 0.45, 0.9  # inches: a bar, what surrounds a panel, a curve
WIDEST = 2.0  # inches that a panel of bars should have


@in_style
def bars(
    out: Any,
    inputs: Any = None,
    *,
    of: str | None = None,
    samples: Sequence[int] | None = None,
    columns: Sequence[str] | None = None,
    most: int = 15,
    scale: Scale | float = "each",
    names: Sequence[str] | None = None,
) -> Picture:
    """Rows of a table: a panel for each sample, a bar for each column, the largest |R| at the top.

    Args:
        out: a :class:`dtd.Explanation`, or relevance as numbers. # shape: (B, F)
        inputs: the rows themselves, printed beside the columns' names. # shape: (B, F)
        columns: their names.
        most: how many bars; the sum of the others is one more, at the bottom.
        of, samples, scale, names: as for :func:`dtd.plot.heatmaps`.

    >>> import dtd
    >>> figure = dtd.plot.bars([[1.0, -3.0, 0.5]], columns=["age", "height", "weight"], most=2)
    >>> [float(bar.get_width()) for bar in figure.axes[0].patches]
    [-3.0, 1.0, 0.5]
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['height', 'age', '1 other']
    """
    values = relevance_of(out, of, samples)
    check_parameter(values.ndim == 2, "out", "relevance (B, columns) of rows of a table", shown_shape_of(values))
    check_parameter(isinstance(most, int) and most >= 1, "most", "a positive integer", repr(most))
    count = values.shape[1]
    known = [f"x{i}" for i in range(count)] if columns is None else given_names(columns, count, "columns")
    given = None
    if inputs is not None:
        given = numbers("inputs", inputs)
        given = given[list(samples)] if samples is not None and given.ndim else given
        check_parameter(given.shape == values.shape, "inputs", f"of shape {values.shape}", shown_shape_of(given))
    across = max(1, min(len(values), int(width() / WIDEST)))
    down = -(-len(values) // across)
    height = down * (FRAME + BAR * min(most + 1, values.shape[1]))
    figure = Picture(figsize=(width() if len(values) > 1 else min(width(), 2 * WIDEST), height), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    limit = limit_of(values, scale)
    titles = given_names(names, len(values))
    for i, (axes, row, title) in enumerate(zip(grid.flat, values, titles, strict=False)):
        texts = known
        if given is not None:
            texts = [f"{name} = {in_digits(value)}" for name, value in zip(known, given[i], strict=True)]
        row_bars(axes, row, texts, most)
        axes.set_title(title)
        if limit is not None:
            axes.set_xlim(-limit, limit)
    for axes in grid.flat[len(values) :]:
        axes.set_axis_off()
    return figure


def in_digits(value: float) -> str:
    """A number in print."""
    return f"{value:.3g}".replace("-", "−")


def row_bars(axes: Axes, row: np.ndarray, texts: Sequence[str], most: int) -> None:
    """The largest bars of one sample, the largest at the top."""
    order = np.argsort(-np.abs(row), kind="stable")
    shown, rest = order[:most], order[most:]
    values = [*row[shown], *([row[rest].sum()] if len(rest) else [])]
    labelled = [*(texts[i] for i in shown), *([f"{len(rest)} other{'s' * (len(rest) > 1)}"] if len(rest) else [])]
    colours = [POSITIVE if value > 0 else NEGATIVE for value in values]
    places = -np.arange(len(values))
    axes.barh(places, values, 0.75, color=colours)
    axes.set_yticks(places, labelled)
    axes.axvline(0, color="black", linewidth=0.5)
    axes.set_xlabel("relevance")
    axes.spines[["top", "right"]].set_visible(False)


@in_style
def series(
    out: Any,
    signal: Any = None,
    *,
    of: str | None = None,
    samples: Sequence[int] | None = None,
    channels: Channels = "apart",
    scale: Scale | float = "each",
    level: float = 1.0,
    cmap: str = DIVERGING,
    names: Sequence[str] | None = None,
) -> Picture:
    """Time series: a panel for each sample and channel, time to the right.

    With the ``signal`` its curve lies on a strip in the colours of its relevance, whose symmetric scale ends at the
    sample's ``max |R| / level``; without it relevance is the curve. Channels that are added up have the mean signal.

    # shape: out and signal (B, T) or (B, C, T)

    >>> import dtd
    >>> figure = dtd.plot.series([[1.0, -2.0, 0.0]], [[5.0, 6.0, 5.0]])
    >>> strip = figure.axes[0].images[0]
    >>> strip.get_array().tolist(), strip.get_clim(), figure.axes[0].lines[0].get_ydata().tolist()
    ([[1.0, -2.0, 0.0]], (-2.0, 2.0), [5.0, 6.0, 5.0])
    """
    check_level(level)
    check_parameter(channels in ("sum", "apart"), "channels", "'sum' or 'apart'", repr(channels))
    values = relevance_of(out, of, samples)
    check_parameter(values.ndim in (2, 3), "out", "relevance (B, T) or (B, C, T)", shown_shape_of(values))
    drawn = None
    if signal is not None:
        drawn = numbers("signal", signal)
        drawn = drawn[list(samples)] if samples is not None and drawn.ndim else drawn
        check_parameter(drawn.shape == values.shape, "signal", f"of shape {values.shape}", shown_shape_of(drawn))
    if values.ndim == 2:
        values, drawn = values[:, None], None if drawn is None else drawn[:, None]
    if channels == "sum":
        values, drawn = values.sum(1, keepdims=True), None if drawn is None else drawn.mean(1, keepdims=True)
    count, lines = values.shape[:2]
    limit = limit_of(values, scale)
    figure = Picture(figsize=(width(), FRAME + TRACE * count * lines), layout="constrained")
    grid = figure.subplots(count * lines, 1, squeeze=False, sharex=True)[:, 0].reshape(count, lines)
    for i, (panels, title) in enumerate(zip(grid, given_names(names, count), strict=True)):
        end = (limit or float(np.abs(values[i]).max())) / level or 1.0
        for k, axes in enumerate(panels):
            curve(axes, values[i, k], None if drawn is None else drawn[i, k], end, cmap)
            axes.set_ylabel(f"channel {k}" if lines > 1 else "relevance" if drawn is None else "signal")
        panels[0].set_title(title, loc="left")
    grid[-1, -1].set_xlabel("time step")
    return figure


def curve(axes: Axes, relevance: np.ndarray, signal: np.ndarray | None, end: float, cmap: str) -> None:
    """One channel: its signal on the colours of its relevance, or its relevance as a curve."""
    steps = np.arange(len(relevance))
    if signal is None:
        for colour, part in ((POSITIVE, relevance.clip(min=0)), (NEGATIVE, relevance.clip(max=0))):
            axes.fill_between(steps, part, step="mid", color=colour, alpha=0.4, linewidth=0)
        axes.plot(steps, relevance, color="black", linewidth=0.6, drawstyle="steps-mid")
        axes.set_ylim(-1.05 * end, 1.05 * end)
        return
    low, high = signal.min(), signal.max()
    margin = 0.1 * (high - low) or 1.0
    sides = (-0.5, len(steps) - 0.5, low - margin, high + margin)
    axes.imshow(relevance[None], extent=sides, aspect="auto", cmap=cmap, vmin=-end, vmax=end, interpolation="nearest")
    axes.plot(steps, signal, color="black", linewidth=0.8)
