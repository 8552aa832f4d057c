"""Objects that can be drawn, and that a notebook shows in short.

Their pictures live in ``dtd.plot``, which is imported when the first one is asked for.
"""

from collections.abc import Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def need_matplotlib() -> None:
    """Raise :class:`ImportError` where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ImportError('dtd.plot draws with matplotlib, which is not installed: pip install "dtd[figures]".')


LINES = 30  # of a table in a notebook


def html_table(title: str, rows: Sequence[Sequence[str]], styles: Sequence[Sequence[str]] = ()) -> str:
    """A title, and rows of cells, the first of which are the head; of a long table the first lines and how many there are.

    ``styles`` are CSS of each cell below the head.
    """
    body = []
    for i, row in enumerate(rows[: LINES + 1]):
        kind = "td" if i else "th"
        own = styles[i - 1] if styles and i else [""] * len(row)
        styled = (f' style="{css}"' if css else "" for css in own)
        cells = (f"<{kind}{css}>{escape(cell)}</{kind}>" for cell, css in zip(row, styled, strict=True))
        body.append(f"<tr>{''.join(cells)}</tr>")
    more = len(rows) - 1 - LINES
    end = f"<p>… and {more} more</p>" if more > 0 else ""
    return f"<div><p><code>{escape(title)}</code></p><table>{''.join(body)}</table>{end}</div>"


class Drawn:
    """Objects with a method ``plot``, which a notebook shows as a title with a short table."""

    def _facts(self) -> tuple[str, list[tuple[str, ...]]]:
        """The title, and rows of a table with its head."""
        return repr(self), []

    def _repr_html_(self) -> str:
        return html_table(*self._facts())

    def plot(self, *args: Any, **how: Any) -> Any:
        """A figure of matplotlib (extra ``figures``), drawn by :func:`dtd.plot.draw`.

        ``out.plot(x)`` shows an explanation by the shape of its input, or as ``kind="image"``, ``"text"``, ``"row"`` or
        ``"series"`` with the arguments of :func:`dtd.plot.heatmaps`, ``words``, ``bars`` and ``series``; ``net.plot()``
        shows the layers, and ``plan.plot(net)`` the layers coloured by rule.

        >>> import dtd, torch
        >>> layer = torch.nn.Linear(2, 1, bias=False)
        >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, -1.0]]))
        >>> out = dtd.explain(dtd.trace(layer, torch.ones(1, 2)), torch.ones(1, 2), 0, dtd.Plan.uniform("lrp0"))
        >>> [float(bar.get_width()) for bar in out.plot().axes[0].patches]
        [3.0, -1.0]
        """
        return import_module("dtd.plot").draw(self, *args, **how)
