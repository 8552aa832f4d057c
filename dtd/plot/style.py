"""One look for all figures: column widths, small type, colours that colour-blind readers can tell apart.

Whoever wants figures in another style (a run, the report, a paper) draws and saves them inside :func:`styled`; a figure
takes its width from :func:`width` and sets no type of its own.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from itertools import cycle
from typing import ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure

from dtd.plans.rules import LOOKS

COLUMN, PAGE, TALLEST = 3.35, 6.9, 7.0  # inches: one column, two columns, a page of text with a caption below
DIVERGING = "RdBu_r"
POSITIVE, NEGATIVE = "#B2182B", "#2166AC"  # lines and bars of one sign
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito
MARKERS = "osD^vP*X<>"
PARTS_LOOKS = {  # of a balance: label and colour
    "first": ("handed down", "#56B4E9"),
    "bias": ("bias neuron", "#CC79A7"),
    "zeroth": ("zeroth order", "#E69F00"),
    "remainder": ("remainder", "#999999"),
}
FALLBACK = {"sans-serif": ["DejaVu Sans"], "serif": ["cmr10", "STIXGeneral", "DejaVu Serif"]}  # glyph by glyph
MATHS = {"sans-serif": "dejavusans", "serif": "cm"}
DPI = 150  # of pictures in a notebook

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on every table that it leaves out of a PDF


@dataclass(frozen=True)
class Style:
    """Width in inches, type, and size in points; ``family`` is serif (Computer Modern), sans-serif, or a font's name.

    ``usetex`` lets LaTeX set the text; the other choices need no TeX.

    >>> from dtd.plot import Style, styled
    >>> from dtd.plot.style import width
    >>> with styled(Style(width=3.35, family="serif")):
    ...     print(width())
    3.35
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


CHOSEN: ContextVar[Style | None] = ContextVar("style", default=None)


@contextmanager
def styled(style: Style = Style()) -> Iterator[None]:
    """Figures that are drawn and saved inside have the style.

    >>> import dtd
    >>> with dtd.plot.styled(dtd.plot.Style(width=3.35)):
    ...     figure = dtd.plot.series([[1.0, -2.0]])
    >>> float(figure.get_figwidth())
    3.35
    """
    token = CHOSEN.set(style)
    try:
        with mpl.rc_context(style.rc()):
            yield
    finally:
        CHOSEN.reset(token)


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_style(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, drawing in the style of the :func:`styled` around it, and in the default one where there is none."""

    @wraps(draw)
    def drawn(*args: Arguments.args, **keywords: Arguments.kwargs) -> Result:
        with nullcontext() if CHOSEN.get() else styled():
            return draw(*args, **keywords)

    return drawn


class Picture(Figure):
    """A figure that a notebook shows, whatever its backend."""

    def _repr_png_(self) -> bytes:
        found = BytesIO()
        self.savefig(found, format="png", dpi=DPI, facecolor="white")
        return found.getvalue()


def width() -> float:
    """The width that figures have now, in inches."""
    return mpl.rcParams["figure.figsize"][0]


def rule_looks(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each name, in the order given: a rule's own, and for what is no rule those that are left.

    A name such as "gamma, neuron" has the look of its rule; of several names with one rule the first has it.
    """
    names = list(dict.fromkeys(names))
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.partition(", ")[0], name)
    fixed = {name: LOOKS[rule] for rule, name in first.items() if rule in LOOKS}
    left = cycle([look for look in LOOKS.values() if look not in fixed.values()] or LOOKS.values())
    looks = {name: fixed.get(name) or next(left) for name in names}
    return {name: (look.colour, look.marker) for name, look in looks.items()}
