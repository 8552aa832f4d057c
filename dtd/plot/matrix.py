"""Matrices of shares: numbers in per cent on the colours of their values."""

import numpy as np
from matplotlib.axes import Axes

from dtd.plot.colours import letters_on

CELL = 0.21  # inches that a number needs
SHARE = ("cividis", 0.0, 1.0)  # colours, and what their ends stand for


def matrix(axes: Axes, values: np.ndarray, scale: tuple[str, float, float], room: float):
    """One matrix in ``room`` inches."""
    colours, low, high = scale
    image = axes.imshow(values, cmap=colours, vmin=low, vmax=high, aspect="auto")
    if room / values.shape[1] >= CELL:
        for (i, j), value in np.ndenumerate(values):
            text = "–" if np.isnan(value) else f"{100 * value:.0f}".replace("-0", "0").replace("-", "−")
            red, green, blue, _ = image.cmap(image.norm(value))
            colour = "#000000" if np.isnan(value) else letters_on(red, green, blue)
            axes.text(j, i, text, ha="center", va="center", size="x-small", color=colour)
    axes.tick_params(length=0)
    return image
