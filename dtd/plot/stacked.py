"""Stacked bars of parts that may be negative."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


def stacked_bars(axes: Axes, rows: pd.DataFrame, parts: Mapping[str, tuple[str, str]], width: float) -> None:
    """One bar for each row, at 0, 1, 2, …: positive parts are stacked upwards from 0 and negative ones downwards.

    ``parts`` gives label and colour by column, from 0 outwards; a missing value counts as 0. So the height above 0 less
    the depth below it is the sum of the row. Spines at the top and on the right go, and a line marks 0.
    """
    places = np.arange(len(rows))
    above, below = np.zeros(len(rows)), np.zeros(len(rows))
    for column, (label, colour) in parts.items():
        values = rows[column].fillna(0).to_numpy()
        axes.bar(places, values, width, bottom=np.where(values >= 0, above, below), color=colour, label=label)
        above, below = above + values.clip(min=0), below + values.clip(max=0)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
