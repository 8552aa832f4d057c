"""Pictures with matplotlib (extra ``figures``): explanations, networks, balances and audits, one drawing of each kind.

``import dtd`` does not import matplotlib; the first use of ``dtd.plot`` does. Figures are those of matplotlib, to be saved
with ``figure.savefig(path)``, and a notebook shows them.
"""

from dtd.callers.drawing import need_matplotlib

need_matplotlib()

from dtd.plot.audited import audited
from dtd.plot.balances import balances
from dtd.plot.columns import bars, series
from dtd.plot.draw import draw
from dtd.plot.flow import flow
from dtd.plot.heatmap import grid, heatmaps, save
from dtd.plot.layers import layers
from dtd.plot.style import Style, styled
from dtd.plot.unit_view import function_view
from dtd.plot.words import Words, words

__all__ = [
    "Style",
    "Words",
    "audited",
    "balances",
    "bars",
    "draw",
    "flow",
    "function_view",
    "grid",
    "heatmaps",
    "layers",
    "save",
    "series",
    "styled",
    "words",
]
