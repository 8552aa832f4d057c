"""Texts with their words on the colour of their relevance: for notebooks, terminals, HTML, LaTeX and as a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dtd.errors import InputError, check_parameter
from dtd.plot.colours import cells
from dtd.plot.latex import PREAMBLE, for_latex
from dtd.plot.style import Picture, in_style, width
from dtd.plot.values import relevance_of

BEFORE, WITHIN = ("Ġ", "▁", " "), "##"  # how tokenizers mark a blank before a token, and a token that goes on
LEADING, PAD = 2.0, 0.12  # of the type's size: from line to line, between a word and the edge of its colour
RESET, UNDERLINE = "\x1b[0m", "\x1b[4m"


@dataclass(frozen=True, eq=False, repr=False)
class Words:
    """One text: its ``rows`` are the words in order, with ``word``, ``spaced``, ``known`` and ``positive``, a relevance.

    A notebook shows it in colours, and so does ``print`` in a terminal of 24-bit colours. Unknown words are underlined.
    Made by :func:`dtd.plot.words`.

    >>> import dtd
    >>> dtd.plot.words([[1.0, -2.0]], ["good", "film"])
    Words(2 words, Σ R = -1, strongest: 'film' -2)
    """

    rows: pd.DataFrame

    def html(self) -> str:
        """A paragraph whose words are on their colours; pointing at one shows its relevance."""
        return f'<p class="text">{for_html(self.rows)}</p>'

    def latex(self) -> str:
        """A paragraph; the file needs the lines of :attr:`preamble`."""
        return for_latex(self.rows)

    @property
    def preamble(self) -> str:
        """The packages and commands that :meth:`latex` needs, from the document's class on."""
        return PREAMBLE

    def terminal(self) -> str:
        """One line of text with escape sequences for 24-bit colours."""
        return for_terminal(self.rows)

    def figure(self) -> Picture:
        """The text set in lines as wide as the style."""
        return text_figure(self.rows)

    def strongest(self, count: int = 10, sign: int = 1) -> list[tuple[str, float]]:
        """Words with the largest relevance of one sign, occurrences added up."""
        return strongest(self.rows, count, sign, cased=True)

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.terminal()

    def __repr__(self) -> str:
        largest = self.rows.loc[self.rows.positive.abs().idxmax()]
        total = self.rows.positive.sum()
        return f"Words({len(self.rows)} words, Σ R = {total:g}, strongest: {largest.word!r} {largest.positive:g})"


def words(out: Any, tokens: Sequence[str], *, of: str | None = None, sample: int = 0) -> Words:
    """The words or tokens of one text with their relevance, which is summed over everything but places.

    Blanks are put where a tokenizer's marks say (``Ġ``, ``▁``, or a blank itself before a word; ``##`` where one goes on),
    and between all words where there is no mark.

    Args:
        out: a :class:`dtd.Explanation`, or relevance as numbers. # shape: (B, T) or (B, T, …)
        tokens: of that sample, T of them.
        of: which input, where there are several, such as ``"input_ids"``.
        sample: which text of the batch.

    Raises :class:`dtd.InputError` where tokens and places differ in number.

    >>> import dtd
    >>> text = dtd.plot.words([[[1.0, 1.0], [-0.5, 0.0]]], ["Ġgood", "Ġfilm"])
    >>> text.rows.positive.tolist(), text.strongest(1)
    ([2.0, -0.5], [('good', 2.0)])
    """
    values = relevance_of(out, of, samples=[sample])[0]
    values = values.reshape(len(values), -1).sum(1)
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in tokens):
        raise InputError(
            f"'tokens' must be texts, one for each place: tokenizer.convert_ids_to_tokens(ids); found {tokens!r}."
        )
    check_parameter(len(tokens) == len(values), "tokens", f"{len(values)}, one for each place", len(tokens))
    spaced, shown = spacing(tokens)
    return Words(pd.DataFrame({"word": shown, "spaced": spaced, "known": True, "positive": values}))


def spacing(tokens: Sequence[str]) -> tuple[list[bool], list[str]]:
    """Whether a blank stands before each token, and the tokens without their marks."""
    if any(token.startswith(BEFORE) for token in tokens):
        spaced = [token.startswith(BEFORE) for token in tokens]
        shown = [token[1:] if before else token for before, token in zip(spaced, tokens, strict=True)]
    else:
        spaced = [not token.startswith(WITHIN) for token in tokens]
        shown = [token if before else token[len(WITHIN) :] for before, token in zip(spaced, tokens, strict=True)]
    return [before and i > 0 for i, before in enumerate(spaced)], shown


def for_html(rows: pd.DataFrame) -> str:
    """One text as ``span`` elements; unknown words are underlined with dots."""
    parts = []
    for cell in cells(rows):
        line = "" if cell.known else ";text-decoration:underline dotted"
        style = f"background:{cell.background};color:{cell.letters};padding:.1em .12em;border-radius:.2em{line}"
        parts.append(f'{" " * cell.spaced}<span style="{style}" title="{cell.value:+.3g}">{escape(cell.word)}</span>')
    return "".join(parts)


def for_terminal(rows: pd.DataFrame) -> str:
    """One text with escape sequences; unknown words are underlined, and control characters are shown by number."""
    parts = []
    for cell in cells(rows):
        codes = f"\x1b[38;2;{channels_of(cell.letters)};48;2;{channels_of(cell.background)}m"
        parts.append(f"{' ' * cell.spaced}{codes}{'' if cell.known else UNDERLINE}{printable(cell.word)}{RESET}")
    return "".join(parts)


def printable(word: str) -> str:
    """A word with its control characters by number."""
    return "".join(sign if sign.isprintable() else f"U+{ord(sign):04X}" for sign in word)


def channels_of(colour: str) -> str:
    """Red, green and blue of ``#rrggbb`` as an escape sequence has them."""
    return ";".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


@in_style
def text_figure(rows: pd.DataFrame) -> Picture:
    """The words in lines as wide as the style, each on its colour, unknown ones in italics."""
    figure = Picture(figsize=(width(), 1.0))
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn = []
    for cell in cells(rows):
        box = {"facecolor": cell.background, "edgecolor": "none", "pad": 0, "boxstyle": f"square,pad={PAD}"}
        word, slant = printable(cell.word).replace("$", r"\$"), "normal" if cell.known else "italic"
        text = figure.text(0, 0, word, color=cell.letters, va="baseline", bbox=box, style=slant)
        text.set_transform(figure.dpi_scale_trans)
        drawn.append((cell, text, text.get_window_extent(renderer).width / figure.dpi))
    size = mpl.rcParams["font.size"] / 72
    x, line, places = PAD, 0, []
    for cell, _, wide in drawn:
        x += 0.35 * size * cell.spaced
        if x + wide > width() - PAD and x > PAD:
            x, line = PAD, line + 1
        places.append((x, line))
        x += wide + 2 * PAD * size
    height = (line + 1.2) * LEADING * size
    figure.set_figheight(height)
    for (_, text, _), (left, number) in zip(drawn, places, strict=True):
        text.set_position((left, height - (number + 0.9) * LEADING * size))
    return figure


def strongest(rows: pd.DataFrame, count: int, sign: int, cased: bool = False) -> list[tuple[str, float]]:
    """Words with the largest relevance of one sign, occurrences added up, in upper and lower case too unless ``cased``."""
    words = rows.word.astype(str)
    total = (sign * rows.positive).groupby(words if cased else words.str.lower()).sum()
    return [(word, sign * value) for word, value in total[total > 0].nlargest(count).items()]
