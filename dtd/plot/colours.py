"""Words on the colour of their relevance: one symmetric scale, letters that stand out."""

from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.colors import to_hex

from dtd.plot.style import DIVERGING

DARK = 0.18  # backgrounds of lower relative luminance get white letters: the contrast is then at least 4.5
SHARE_OF_MAP = 0.8  # of the colour map to either side: its ends are too dark to read on


@dataclass(frozen=True)
class Cell:
    """One word and how it is drawn; colours as ``#rrggbb``."""

    word: str
    spaced: bool
    known: bool
    background: str
    letters: str
    value: float


def cells(rows: pd.DataFrame) -> Iterator[Cell]:
    """The words in order: ``word``, whether it is ``spaced`` and ``known``, and ``positive``, its relevance.

    The symmetric colour scale ends at the text's largest |relevance|.
    """
    scale = rows.positive.abs().max() or 1.0
    colours = mpl.colormaps[DIVERGING]
    for row in rows.itertuples():
        red, green, blue, _ = colours(0.5 + 0.5 * SHARE_OF_MAP * row.positive / scale)
        letters = letters_on(red, green, blue)
        yield Cell(str(row.word), row.spaced, row.known, to_hex((red, green, blue)), letters, row.positive)


def letters_on(red: float, green: float, blue: float) -> str:
    """Black or white, whichever can be read on a background."""
    return "#ffffff" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < DARK else "#000000"
