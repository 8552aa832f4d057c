"""Relevance of images: a batch side by side, plans × samples, and files of one pixel a pixel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.image import imsave
from torch import Tensor

from dtd.errors import check_parameter
from dtd.plot.names import rule_name
from dtd.plot.panels import EACH, Block, heatmap_grid
from dtd.plot.style import DIVERGING, Picture, in_style
from dtd.plot.values import (
    Channels,
    Scale,
    check_level,
    given_names,
    images_of,
    limit_of,
    pictures_of,
    relevance_of,
)

CONSERVED = "Σ R / f(x)"
PADDING = 1  # pixels between the images of a file


@in_style
def heatmaps(
    out: Any,
    picture: Any = None,
    *,
    of: str | None = None,
    samples: Sequence[int] | None = None,
    shape: Sequence[int] | None = None,
    channels: Channels = "sum",
    scale: Scale | float = "each",
    level: float = 1.0,
    cmap: str = DIVERGING,
    overlay: bool = False,
    names: Sequence[str] | None = None,
) -> Picture:
    """Images of relevance, a column for each sample, red for and blue against what is explained.

    Colours are symmetric: 0 is the middle of the map, and both ends are ``max |R| / level``.

    Args:
        out: a :class:`dtd.Explanation`, or relevance as numbers. # shape: (B, H, W) or (B, C, H, W)
        picture: the inputs, drawn above, or below the colours with ``overlay``. # shape: as the relevance
        of: which input, where there are several.
        samples: which samples, and in which order; all, up to 64.
        shape: of a sample, for a network that reads images as rows of pixels: ``(1, 28, 28)``.
        channels: ``"sum"`` adds them up, ``"apart"`` draws a row for each.
        scale: ``"each"`` sample has its own, which its channels share; ``"shared"``: all have one; a number: its end.
        level: above 1, smaller relevance gets strong colours and the largest is cut off.
        cmap: a diverging colour map of matplotlib.
        names: above the samples.

    Raises :class:`dtd.InputError` for what is no image, and pictures that do not fit.

    Two channels of one image add up to (3, −1):

    >>> import dtd
    >>> figure = dtd.plot.heatmaps([[[[1.0, -2.0]], [[2.0, 1.0]]]])
    >>> image = figure.axes[0].images[0]
    >>> image.get_array().tolist(), image.get_clim()
    ([[3.0, -1.0]], (-3.0, 3.0))
    """
    check_level(level)
    images = images_of(relevance_of(out, of, samples), shape, channels)
    pictures = () if picture is None else list(pictures_of(picture, shape, images, samples))
    check_parameter(not overlay or picture is not None, "picture", "the inputs, for an overlay", "none")
    limit = limit_of(images, scale)
    conservation = notes_of(out, samples)
    rows = [f"channel {k}" for k in range(images.shape[1])] if images.shape[1] > 1 else [""]
    block = Block(
        columns=given_names(names, len(images)),
        panels=[list(images[:, k]) for k in range(images.shape[1])],
        rows=rows,
        notes={CONSERVED: conservation} if conservation else {},
        pictures=pictures,
        overlay=overlay,
        limit=limit,
        level=level,
    )
    return heatmap_grid([block], bar_label(limit, level), cmap, fitted=True)


@in_style
def grid(
    outs: Mapping[str, Any],
    picture: Any = None,
    *,
    of: str | None = None,
    samples: Sequence[int] | None = None,
    shape: Sequence[int] | None = None,
    scale: Scale | float = "each",
    level: float = 1.0,
    cmap: str = DIVERGING,
    names: Sequence[str] | None = None,
) -> Picture:
    """Plans × samples: a line of heatmaps for each sample, its picture first, a column for each explanation by its name.

    ``outs`` are explanations of the same inputs, or relevance, by the names that stand above; a rule or preset of the
    catalogue is printed as there. Channels are added up. ``names`` stand beside the samples, the other arguments are
    those of :func:`heatmaps`; with ``scale="each"`` every panel has its own.

    >>> import dtd
    >>> figure = dtd.plot.grid({"zplus": [[[1.0, 3.0]]], "gamma": [[[2.0, -1.0]]]}, scale="shared")
    >>> [text.get_text() for text in figure.texts if text.get_text()]
    ['z⁺', 'LRP-γ']
    >>> [axes.images[0].get_clim() for axes in figure.axes[:2]]
    [(-3.0, 3.0), (-3.0, 3.0)]
    """
    check_level(level)
    check_parameter(isinstance(outs, Mapping) and bool(outs), "outs", "explanations by name", type(outs).__name__)
    found = {name: images_of(relevance_of(out, of, samples), shape, "sum")[:, 0] for name, out in outs.items()}
    shapes = {images.shape for images in found.values()}
    check_parameter(len(shapes) == 1, "outs", "of the same samples and sizes", ", ".join(map(str, sorted(shapes))))
    images = np.stack(list(found.values()), 1)
    pictures = [None] * len(images) if picture is None else list(pictures_of(picture, shape, images, samples))
    limit, beside = limit_of(images, scale), given_names(names, len(images))
    sums = {name: notes_of(out, samples) for name, out in outs.items()}
    blocks = [
        Block(
            columns=["" if i else rule_name(name) for name in found],
            panels=[list(line)],
            rows=[beside[i] if picture is None else ""],
            picture=pictures[i],
            below="" if picture is None else beside[i],
            notes={CONSERVED: [each[i] if each else "" for each in sums.values()]} if any(sums.values()) else {},
            limit=limit,
            level=level,
        )
        for i, line in enumerate(images)
    ]
    return heatmap_grid(blocks, bar_label(limit, level), cmap, fitted=True)


def save(
    out: Any,
    path: str | Path,
    *,
    of: str | None = None,
    samples: Sequence[int] | None = None,
    shape: Sequence[int] | None = None,
    channels: Channels = "sum",
    scale: Scale | float = "each",
    level: float = 1.0,
    cmap: str = DIVERGING,
    columns: int | None = None,
    zoom: int = 1,
) -> Path:
    """Write relevance as an image file without axes, one pixel a pixel (or ``zoom`` × ``zoom``), and return its path.

    Several samples, and channels that are ``"apart"``, are tiles, ``columns`` of them in a line, a white pixel between
    them. The file's ending is its kind (png, jpg, tif). Other arguments are those of :func:`heatmaps`: the colour of
    relevance R is ``cmap(1/2 + level R / (2 max |R|))``.

    >>> import dtd, tempfile, pathlib
    >>> from matplotlib.image import imread
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> path = dtd.plot.save([[[1.0, -1.0]]], folder / "x.png", cmap="bwr")
    >>> imread(path)[..., :3].tolist()
    [[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    check_level(level)
    check_parameter(isinstance(zoom, int) and zoom >= 1, "zoom", "a positive integer", repr(zoom))
    images = images_of(relevance_of(out, of, samples), shape, channels)
    limit = limit_of(images, scale)
    ends = [limit or float(np.abs(each).max()) or 1.0 for each in images]
    tiles = [image * level / end for each, end in zip(images, ends, strict=True) for image in each]
    wide = columns or (images.shape[1] if channels == "apart" else int(np.ceil(np.sqrt(len(tiles)))))
    check_parameter(isinstance(wide, int) and wide >= 1, "columns", "a positive integer", repr(columns))
    colours = mpl.colormaps[cmap]
    drawn = [np.kron(colours(0.5 + 0.5 * np.clip(tile, -1, 1)), np.ones((zoom, zoom, 1))) for tile in tiles]
    imsave(path, as_tiles(drawn, wide))
    return Path(path)


def as_tiles(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Tiles of one size in lines, on white. # shape: (h, w, 4) each -> (H, W, 4)"""
    high, wide, _ = tiles[0].shape
    columns = min(columns, len(tiles))
    lines = -(-len(tiles) // columns)
    sheet = np.ones((lines * (high + PADDING) - PADDING, columns * (wide + PADDING) - PADDING, 4))
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (high + PADDING), (number % columns) * (wide + PADDING)
        sheet[top : top + high, left : left + wide] = tile
    return sheet


def notes_of(out: Any, samples: Sequence[int] | None) -> list[str]:
    """What reaches the input of each sample as a share of what is explained, where an explanation says so."""
    if isinstance(out, Tensor) or not hasattr(out, "conservation"):
        return []
    shares = out.conservation().detach().tolist()
    chosen = shares if samples is None else [shares[i] for i in samples]
    return ["∞" if share == float("inf") else f"{share:.2f}".replace("-", "−") for share in chosen]


def bar_label(limit: float | None, level: float) -> str:
    """What the colour bar says."""
    if limit is not None:
        return "relevance"
    return EACH if level == 1 else f"relevance · {level:g} / max |relevance|"
