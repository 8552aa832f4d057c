"""What an explanation looks like, by the shape of its input."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from matplotlib.figure import Figure

from dtd.errors import InputError, check_parameter
from dtd.explaining.explanation import Explanation
from dtd.plot.columns import bars, series
from dtd.plot.heatmap import heatmaps
from dtd.plot.values import relevance_of
from dtd.plot.words import words

Kind = Literal["image", "text", "row", "series"]
FLAT = 64  # columns of a table at most, where the shape alone says that it is one


def explanation_figure(out: Explanation, inputs: Any = None, *, kind: Kind | None = None, **how: Any) -> Figure:
    """The figure of an explanation: that of the ``kind``, or the one that the arguments or the input's shape tell.

    * ``image``: :func:`dtd.plot.heatmaps`, for samples ``(C, H, W)`` and where there is a ``shape``;
    * ``text``: :func:`dtd.plot.words`, where there are ``tokens``;
    * ``row``: :func:`dtd.plot.bars`, for samples ``(F,)`` with F ≤ 64 and where there are ``columns``;
    * ``series``: :func:`dtd.plot.series`, for samples ``(C, T)``.

    ``inputs`` are drawn with their relevance; for all other arguments see there.
    """
    check_parameter(kind is None or kind in get_args(Kind), "kind", f"one of {', '.join(get_args(Kind))}", repr(kind))
    kind = kind or told(out, how)
    if kind == "text":
        if "tokens" not in how:
            raise InputError("A text needs 'tokens', one for each place: out.plot(tokens=[…]).")
        return words(out, **how).figure()
    pictures: dict[str, Callable[..., Figure]] = {"image": heatmaps, "row": bars, "series": series}
    return pictures[kind](out, inputs, **how)


def told(out: Explanation, how: dict[str, Any]) -> Kind:
    """The kind of picture that the arguments tell, or else the input's shape."""
    named: dict[str, Kind] = {"tokens": "text", "columns": "row", "shape": "image", "overlay": "image"}
    for argument, kind in named.items():
        if argument in how:
            return kind
    sample = relevance_of(out, how.get("of"), how.get("samples")).shape[1:]
    if len(sample) == 3:
        return "image"
    if len(sample) == 2:
        return "series"
    if len(sample) == 1 and sample[0] <= FLAT:
        return "row"
    raise InputError(
        f"The shape {tuple(sample)} of a sample does not say what it is. Give its shape as an image, "
        f"out.plot(shape=(1, 28, 28)), or a kind: kind='row', 'series', 'image', or tokens=[…]."
    )
