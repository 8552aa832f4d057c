"""Heatmaps side by side: blocks of panels with a symmetric colour scale, one colour bar, captions below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from dtd.plot.style import DIVERGING, Picture, width

LEFT, BAR, GAP = 0.03, 0.50, 0.04  # inches: margin, colour bar with its label, between panels
SMALLEST, LARGEST, BARS = 0.43, 1.6, 1.6  # inches: side of a panel; length of the colour bar
LINE, CHARACTER = 1.5, 0.58  # of the type's size: height of a line of text, width of a character
OBLONG = 3.0  # an image longer than this is stretched to its panel
PALE = 0.4  # how dark the picture below an overlay is
EACH = "relevance / max |relevance|"  # what the colour bar says where every column has its own scale


@dataclass(frozen=True, eq=False)
class Block:
    """A picture, and panels of relevance in rows and columns with titles above and notes below each column.

    The panels of a column share their colour scale, which ends at their largest |relevance|, or at ``limit``. ``pictures``
    are one more row, above the panels, or lie below the panels' colours where it is an ``overlay``.

    # shape: picture (H, W) between 0 and 1, or (H, W, 3); panels[row][column] (H, W), None leaves a place empty
    """

    columns: Sequence[str]
    panels: Sequence[Sequence[np.ndarray | None]]
    rows: Sequence[str] = ("",)
    picture: np.ndarray | None = None
    above: str = ""  # the picture's captions
    below: str = ""
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by label, one text for each column
    pictures: Sequence[np.ndarray] = ()  # one for each column
    overlay: bool = False
    limit: float | None = None
    level: float = 1.0  # the scale ends at the largest |relevance| divided by this

    def part(self, start: int, stop: int) -> "Block":
        """Some of the columns; the picture goes with the first."""
        cut = slice(start, stop)
        rows, notes = [row[cut] for row in self.panels], {label: texts[cut] for label, texts in self.notes.items()}
        picture = self.picture if start == 0 else None
        return replace(
            self, columns=self.columns[cut], panels=rows, notes=notes, picture=picture, pictures=self.pictures[cut]
        )

    @property
    def above_panels(self) -> bool:
        """Whether the first row holds pictures."""
        return bool(len(self.pictures)) and not self.overlay

    def end(self, column: int) -> float:
        """Where the colour scale of a column ends."""
        images = [image for row in self.panels if (image := row[column]) is not None]
        largest = self.limit or max((float(np.abs(image).max(initial=0.0)) for image in images), default=0.0)
        return largest / self.level or 1.0


class Canvas:
    """A figure on which axes are placed in inches from the top left corner."""

    def __init__(self, width: float, height: float):
        self.width, self.height = width, height
        self.figure = Picture(figsize=(self.width, height))

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes without ticks."""
        place = x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height
        axes = self.figure.add_axes(place)
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def text(self, x: float, y: float, text: str, ha: str, va: str = "center") -> None:
        """Text at a place."""
        self.figure.text(x / self.width, 1 - y / self.height, text, ha=ha, va=va)


def heatmap_grid(blocks: Sequence[Block], label: str = EACH, cmap: str = DIVERGING, fitted: bool = False) -> Picture:
    """The blocks below each other, as wide as the style; a block with more columns than fit goes on in the next line.

    A figure that is ``fitted`` is only as wide as what it shows.
    """
    limits = {block.limit and block.end(0) for block in blocks}
    end = limits.pop() if len(limits) == 1 else None
    ends = ["−1", "0", "1"] if end is None else [f"−{end:.2g}", "0", f"{end:.2g}"]
    line = mpl.rcParams["font.size"] / 72
    labels = CHARACTER * line * longest([text for b in blocks for text in (*b.rows, *b.notes)]) + 0.08
    pictured = any(block.picture is not None for block in blocks)
    beside = BAR + CHARACTER * line * (longest(ends) - 2)
    room = width() - LEFT - labels - beside
    fit = max(1, int((room + GAP) / (SMALLEST + GAP)) - pictured)
    most = min(fit, max(len(block.columns) for block in blocks))
    size = min(LARGEST, (room - GAP * most) / (most + pictured))
    lines = [block.part(i, i + most) for block in blocks for i in range(0, len(block.columns), most)]
    heights = [LINE * line * (1.2 + len(b.notes) + 0.4) + (len(b.panels) + b.above_panels) * (size + GAP) for b in lines]
    first = LEFT + size * pictured + labels
    place = min(first + most * (size + GAP) + 0.06, width() - beside + 0.06)
    canvas = Canvas(min(width(), place + beside) if fitted else width(), sum(heights))
    for top, block in zip(np.cumsum([0.0, *heights]), lines, strict=False):
        draw_block(canvas, block, (first, top + 1.2 * LINE * line), size, cmap)
    length = min(BARS, canvas.height - 4 * LINE * line)
    bar = canvas.axes(place, (canvas.height - length) / 2, 0.07, length)
    scale = ScalarMappable(Normalize(-(end or 1), end or 1), cmap)
    colours = canvas.figure.colorbar(scale, cax=bar, ticks=[-(end or 1), 0, end or 1])
    colours.set_label(label, labelpad=1)
    colours.ax.set_yticklabels(ends)
    return canvas.figure


def draw_block(canvas: Canvas, block: Block, corner: tuple[float, float], size: float, cmap: str) -> None:
    """One block, whose first panel has its corner there."""
    left, top = corner
    line = LINE * mpl.rcParams["font.size"] / 72
    step = size + GAP
    panels = top + step * block.above_panels
    rows = [panels + step * i for i in range(len(block.panels))]
    notes = [rows[-1] + size + line * (0.6 + i) for i in range(len(block.notes))]
    if block.picture is not None:
        middle = (top + rows[-1] + size) / 2
        show_photo(canvas.axes(LEFT, middle - size / 2, size, size), block.picture)
        canvas.text(LEFT + size / 2, middle - size / 2 - 0.05, block.above, "center", "bottom")
        canvas.text(LEFT + size / 2, middle + size / 2 + 0.05, block.below, "center", "top")
    for label, y in zip((*block.rows, *block.notes), [*(y + size / 2 for y in rows), *notes], strict=True):
        canvas.text(left - 0.05, y, label, "right")
    for column, title in enumerate(block.columns):
        x = left + step * column
        canvas.text(x + size / 2, top - 0.04, title, "center", "bottom")
        if block.above_panels:
            show_photo(canvas.axes(x, top, size, size), block.pictures[column])
        for image, y in zip((row[column] for row in block.panels), rows, strict=True):
            if image is not None:
                axes = canvas.axes(x, y, size, size)
                under = block.pictures[column] if block.overlay and len(block.pictures) else None
                show_relevance(axes, image, block.end(column), cmap, under)
        for texts, y in zip(block.notes.values(), notes, strict=True):
            canvas.text(x + size / 2, y, texts[column], "center")


def show_relevance(axes: Axes, image: np.ndarray, end: float, cmap: str, under: np.ndarray | None = None) -> None:
    """Relevance between colours for ``−end`` and ``end``; over a picture in pale grey the more opaque the larger it is."""
    opacity = None
    if under is not None:
        grey = under if under.ndim == 2 else np.repeat(under.mean(-1, keepdims=True), 3, -1)
        show_photo(axes, PALE * grey if under.ndim == 2 else 1 - PALE * (1 - grey))
        opacity = np.sqrt(np.clip(np.abs(image) / end, 0, 1))
    show_image(axes, image, cmap=cmap, vmin=-end, vmax=end, alpha=opacity)


def show_photo(axes: Axes, picture: np.ndarray) -> None:
    """A picture in grey (1 is black ink) or in colours. # shape: (H, W) or (H, W, 3)"""
    show_image(axes, picture, cmap="gray_r", vmin=0, vmax=1)


def show_image(axes: Axes, image: np.ndarray, **scale) -> None:
    """The image in its own proportions, unless it is too long for that."""
    height, length = image.shape[:2]
    stretched = max(height, length) > OBLONG * min(height, length)
    axes.imshow(image, aspect="auto" if stretched else "equal", interpolation="nearest", **scale)


def longest(texts: Sequence[str]) -> int:
    """Characters of the longest text."""
    return max(map(len, texts), default=0)
