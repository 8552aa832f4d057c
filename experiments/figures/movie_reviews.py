"""Movie reviews: deletion curves, and the words of the reviews on the colour of their relevance."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from experiments.figures.names import plain, printed
from experiments.figures.order import rule_looks
from experiments.figures.style import DIVERGING, width
from experiments.figures.summary import Tables
from experiments.figures.text import PREAMBLE, SHARE_OF_MAP, cells, escaped, for_latex, strongest

TOP = 10  # words listed for either class
MATHS = {
    **{"α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "ε": r"$\varepsilon$"},
    **{"²": "$^2$", "⁺": "$^+$", "ᴮ": r"$^\mathrm{B}$", "×": r"$\times$"},
}
GREY, OTHERS = "#777777", "x+1"  # of methods that are no rules
WIDE = 5.0  # inches: from here on two panels fit side by side
SIDES = {"positive": 1, "negative": -1}
LEGEND = "the evidence of each word for either class"


def review_figures(tables: Tables) -> Mapping[str, Figure | str]:
    """``deletion``, and the drawn texts as ``words.html`` and ``words.tex``; nothing where no text holds a word."""
    if not len(tables["rows"]):
        return {}
    pages = {"words.html": page(tables), "words.tex": document(tables)}
    return {"deletion": deletion(tables["deletion"], tables["rows"]), **pages}


def deletion(curves: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Probability over the share of words deleted, with a band of one standard error; beside or below it the areas."""
    wide = width() > WIDE
    figure = Figure(figsize=(width(), (0.42 if wide else 1.5) * width()), layout="constrained")
    above, below = figure.subplots(1, 2, width_ratios=(1.25, 1)) if wide else figure.subplots(2, 1)
    looks = looks_of(rows)
    for method in rows.plan:
        part, (colour, marker, line) = curves[curves.plan == method], looks[method]
        above.plot(part.deleted, part["mean"], line, color=colour, marker=marker, markevery=4)
        band = part["mean"] - part["sem"], part["mean"] + part["sem"]
        above.fill_between(part.deleted, *band, color=colour, alpha=0.2, linewidth=0)
    above.set(xlabel="share of words deleted, most relevant first", ylabel="probability of the predicted class", xlim=(0, 1))
    bars(below, rows.sort_values("area", ascending=False), looks)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def looks_of(rows: pd.DataFrame) -> dict[str, tuple[str, str, str]]:
    """Colour, marker and line of each method; grey and broken for those that are no rules."""
    rules, others = (rows.plan[chosen] for chosen in (rows.compared > 0, rows.compared == 0))
    grey = {method: (GREY, marker, "--") for method, marker in zip(others, OTHERS[: len(others)], strict=True)}
    return {rule: (*look, "-") for rule, look in rule_looks(rules).items()} | grey


def bars(axes: Axes, rows: pd.DataFrame, looks: Mapping[str, tuple[str, str, str]]) -> None:
    """The area of each method, the best at the top; its marker tells which curve is its own."""
    places, errors = np.arange(len(rows)), rows.area_se.fillna(0)
    axes.barh(places, rows.area, xerr=errors, color=[looks[m][0] for m in rows.plan], error_kw={"elinewidth": 0.5})
    for place, row, error in zip(places, rows.itertuples(), errors, strict=True):
        axes.plot(0.02, place, marker=looks[row.plan][1], color="white")
        end = row.area + error, place
        axes.annotate(f"{row.area:.3f}", end, (3, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [printed(method) for method in rows.plan])
    axes.set(xlabel="area under the curve (lower is better)", xlim=(0, 1.2 * (rows.area + errors).max()))


def said(text: Any) -> str:
    """A row of ``texts`` in words."""
    truth = "no class given" if pd.isna(text.truth) else f"true class {text.truth}"
    unread = f", {counted(text.unread, 'more word')} not read" if text.unread else ""
    beside = f"{text.unknown} unknown" if "unknown" in text.index else counted(text.tokens, "token")
    counts = f"{counted(text.words, 'word')}, {beside}{unread}"
    return f"{truth}, predicted {text.predicted} with probability {text.probability:.3f}; {counts}"


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def drawn(tables: Tables) -> Iterator[tuple[Any, list[tuple[str, pd.DataFrame]]]]:
    """Each drawn text: its row of ``texts``, and its words by method."""
    texts = tables["texts"].set_index("text", drop=False)
    for number, words in tables["words"].groupby("text", sort=False):
        yield texts.loc[number], list(words.groupby("plan", sort=False))


def page(
    tables: Tables,
    describe: Callable[[Any], str] = said,
    sides: Mapping[str, int] = SIDES,
    legend: str = LEGEND,
    cased: bool = False,
) -> str:
    """HTML without any reference to another file.

    ``sides``: what positive and negative evidence speaks for; ``cased``: upper and lower case are different words.
    """
    texts = []
    for text, methods in drawn(tables):
        listed = [
            {
                "name": plain(method),
                "cells": cells(words),
                "strongest": [(f"for {side}", strongest(words, TOP, sign, cased)) for side, sign in sides.items()],
            }
            for method, words in methods
        ]
        texts.append({"number": text.text, "said": describe(text), "methods": listed})
    ends = np.linspace(0.5 - 0.5 * SHARE_OF_MAP, 0.5 + 0.5 * SHARE_OF_MAP, 9)
    scale = [to_hex(colour) for colour in mpl.colormaps[DIVERGING](ends)]
    environment = Environment(loader=PackageLoader("experiments.figures"), undefined=StrictUndefined, autoescape=True)
    low, high = (next(side for side, own in sides.items() if own == sign) for sign in (-1, 1))
    known = all(tables["words"].known)
    template = environment.get_template("reviews.html")
    return template.render(texts=texts, scale=scale, low=low, high=high, legend=legend, known=known)


def document(tables: Tables, describe: Callable[[Any], str] = said) -> str:
    """LaTeX that compiles by itself; its paragraphs can go into a paper with the lines before \\begin{document}."""
    parts = [PREAMBLE, r"\begin{document}"]
    for text, methods in drawn(tables):
        parts.append(rf"\section*{{Text {text.text}}}" + f"\n{escaped(describe(text))}\n")
        parts += [rf"\paragraph{{{latex_name(method)}}}" + f"\n{for_latex(words)}\n" for method, words in methods]
    return "\n".join([*parts, r"\end{document}", ""])


def latex_name(method: str) -> str:
    """A printed name in LaTeX."""
    return "".join(MATHS.get(sign) or escaped(sign) for sign in plain(method))
