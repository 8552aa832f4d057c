"""Texts with their words on the colour of their relevance: for the terminal, HTML and LaTeX.

Rows are the words of one text in order, with the columns ``word``, ``spaced``, ``known`` and ``positive``, a relevance.
The symmetric colour scale ends at the text's largest |relevance|.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.colors import to_hex
from rich.style import Style
from rich.text import Text

from experiments.figures.style import DIVERGING

DARK = 0.18  # backgrounds of lower relative luminance get white letters: the contrast is then at least 4.5
SHARE_OF_MAP = 0.8  # of the colour map to either side: its ends are too dark to read on
COMMANDS = {
    **{"\\": "textbackslash", "~": "textasciitilde", "^": "textasciicircum", "<": "textless", ">": "textgreater"},
    **{"|": "textbar", '"': "textquotedbl", "'": "textquotesingle", "`": "textasciigrave", "–": "textendash"},
    **{"—": "textemdash", "…": "ldots", "‘": "textquoteleft", "’": "textquoteright", "“": "textquotedblleft"},
    "”": "textquotedblright",
}
LATEX = {sign: f"\\{sign}" for sign in "#$%&_{}"} | {sign: rf"\{name}{{}}" for sign, name in COMMANDS.items()} | {"-": "{-}"}
PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp,xcolor}
\setlength{\parindent}{0pt}
\setlength{\fboxsep}{1pt}
\newcommand{\word}[3]{\colorbox[HTML]{#1}{\textcolor[HTML]{#2}{\strut #3}}\allowbreak}
\newcommand{\unknown}[1]{\textit{#1}}
"""


@dataclass(frozen=True)
class Cell:
    """One word and how it is drawn; colours as ``#rrggbb``."""

    word: str
    spaced: bool
    known: bool
    background: str
    letters: str
    value: float


def cells(rows: pd.DataFrame) -> Iterator[Cell]:
    """The words in order."""
    scale = rows.positive.abs().max() or 1.0
    colours = mpl.colormaps[DIVERGING]
    for row in rows.itertuples():
        red, green, blue, _ = colours(0.5 + 0.5 * SHARE_OF_MAP * row.positive / scale)
        dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < DARK
        letters = "#ffffff" if dark else "#000000"
        yield Cell(str(row.word), row.spaced, row.known, to_hex((red, green, blue)), letters, row.positive)


def for_terminal(rows: pd.DataFrame) -> Text:
    """One text; unknown words are underlined."""
    made = Text()
    for cell in cells(rows):
        made.append(" " * cell.spaced)
        made.append(cell.word, Style(color=cell.letters, bgcolor=cell.background, underline=not cell.known))
    return made


def for_latex(rows: pd.DataFrame) -> str:
    """One text as a paragraph that needs :data:`PREAMBLE`; unknown words are in italics."""
    parts = []
    for cell in cells(rows):
        word = escaped(cell.word) if cell.known else rf"\unknown{{{escaped(cell.word)}}}"
        colours = "}{".join(colour[1:].upper() for colour in (cell.background, cell.letters))
        parts.append(f"{' ' * cell.spaced}\\word{{{colours}}}{{{word}}}")
    return "%\n".join(parts).replace("%\n ", "\n").strip()


def escaped(text: str) -> str:
    """Text for LaTeX; what the usual fonts lack is written as its code point."""
    return "".join(LATEX.get(sign) or (sign if in_fonts(sign) else f"U+{ord(sign):04X}") for sign in text)


def in_fonts(sign: str) -> bool:
    """Printable ASCII and the letters of Latin-1."""
    return (sign.isascii() and sign.isprintable()) or (0xC0 <= ord(sign) <= 0xFF and unicodedata.category(sign)[0] == "L")


def strongest(rows: pd.DataFrame, count: int, sign: int, cased: bool = False) -> list[tuple[str, float]]:
    """Words with the largest relevance of one sign, occurrences added up, in upper and lower case too unless ``cased``."""
    words = rows.word.astype(str)
    total = (sign * rows.positive).groupby(words if cased else words.str.lower()).sum()
    return [(word, sign * value) for word, value in total[total > 0].nlargest(count).items()]
