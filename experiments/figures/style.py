"""One look for all figures: column widths, small type, colours that colour-blind readers can tell apart.

Whoever wants figures (a run, the report) draws and saves them inside :func:`styled`; a figure takes its width from
:func:`width` and sets no type of its own.
"""

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass

import matplotlib as mpl

PAGE, TALLEST = 6.9, 7.0  # inches: two columns; a page of text with a caption below
DIVERGING = "RdBu_r"
FALLBACK = {"sans-serif": ["DejaVu Sans"], "serif": ["cmr10", "STIXGeneral", "DejaVu Serif"]}  # glyph by glyph
MATHS = {"sans-serif": "dejavusans", "serif": "cm"}

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on every table that it leaves out of a PDF


@dataclass(frozen=True)
class Style:
    """Width in inches, type, and size in points; ``family`` is serif (Computer Modern), sans-serif, or a font's name.

    ``usetex`` lets LaTeX set the text; the other choices need no TeX.
    """

    width: float = PAGE
    family: str = "sans-serif"
    size: float = 7.0
    usetex: bool = False

    def rc(self) -> dict:
        """The settings of matplotlib that make the style."""
        kind = "serif" if self.family == "serif" else "sans-serif"
        fonts = FALLBACK[kind] if self.family in FALLBACK else [self.family, *FALLBACK[kind]]
        small = self.size - 0.5
        return {
            "figure.figsize": (self.width, 0.6 * self.width),
            "font.family": [self.family] if self.usetex else fonts,
            "mathtext.fontset": MATHS[kind],
            "axes.formatter.use_mathtext": kind == "serif",
            "text.usetex": self.usetex,
            "font.size": self.size,
            **dict.fromkeys(("axes.titlesize", "axes.labelsize"), self.size),
            **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), small),
            **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.5),
            "lines.linewidth": 1.0,
            "lines.markersize": 3.0,
            "pdf.fonttype": 42,
        }


def styled(style: Style = Style()) -> AbstractContextManager:
    """Figures that are drawn and saved inside have the style."""
    return mpl.rc_context(style.rc())


def width() -> float:
    """The width that figures have now, in inches."""
    return mpl.rcParams["figure.figsize"][0]
