"""Two sentences, word under word, with lines between the words that make them alike: a row a pair, a column a plan."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dtd.plot.style import NEGATIVE, POSITIVE, width
from experiments.figures.names import printed
from experiments.figures.summary import Tables

WIDEST = 3.0  # points: the line of the pair of words with the largest |relevance|
FAINTEST = 0.02  # lines of a smaller share of it are left out


def sentence_figures(tables: Tables) -> Mapping[str, Figure]:
    """One figure, ``sentences``."""
    words, links, rows = tables["words"], tables["links"], tables["rows"]
    pairs, plans = list(words.pair.unique()), list(links.plan.unique())
    longest = [int(words[words.pair == pair].position.max()) + 1 for pair in pairs]
    line = 1.5 * mpl.rcParams["font.size"] / 72
    figure = Figure(figsize=(width(), line * (sum(longest) + 3 * len(pairs))), layout="constrained")
    grid = figure.subplots(len(pairs), len(plans), squeeze=False, height_ratios=longest)
    for row, pair in zip(grid, pairs, strict=True):
        sides = {side: list(part.word) for side, part in words[words.pair == pair].groupby("side")}
        for axes, plan in zip(row, plans, strict=True):
            connected(axes, sides, links[(links.pair == pair) & (links.plan == plan)])
            numbers = rows[(rows.pair == pair) & (rows.plan == plan)].iloc[0]
            axes.set_xlabel(f"Σ R / s = {numbers['first'] / numbers.similarity:.2f}".replace("-", "−"))
            if pair == pairs[0]:
                axes.set_title(printed(plan))
    return {"sentences": figure}


def connected(axes: Axes, sides: Mapping[str, list[str]], links: pd.DataFrame) -> None:
    """Words on either side; red lines speak for the similarity, blue ones against it, and their width is ``|R_ij|``."""
    longest = max(map(len, sides.values()))
    heights = {side: np.linspace(0, longest - 1, len(words)) if len(words) > 1 else [0] for side, words in sides.items()}
    largest = links.relevance.abs().max()
    for each in links.sort_values("relevance", key=abs).itertuples():
        size = abs(each.relevance) / largest if largest else 0.0
        if size >= FAINTEST:
            ends = [heights["left"][each.left], heights["right"][each.right]]
            colour = POSITIVE if each.relevance > 0 else NEGATIVE
            axes.plot([0, 1], ends, color=colour, linewidth=WIDEST * size, alpha=0.2 + 0.7 * size, solid_capstyle="round")
    for side, x, ha in (("left", -0.05, "right"), ("right", 1.05, "left")):
        for word, y in zip(sides[side], heights[side], strict=True):
            axes.text(x, y, word, ha=ha, va="center")
    axes.set_xlim(-1.1, 2.1)
    axes.set_ylim(longest - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
