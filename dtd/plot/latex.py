"""Texts with their words on the colour of their relevance, for LaTeX."""

import unicodedata

import pandas as pd

from dtd.plot.colours import cells

TEXT_COMMANDS = {
    **{"\\": "textbackslash", "~": "textasciitilde", "^": "textasciicircum", "<": "textless", ">": "textgreater"},
    **{"|": "textbar", '"': "textquotedbl", "'": "textquotesingle", "`": "textasciigrave", "–": "textendash"},
    **{"—": "textemdash", "…": "ldots", "‘": "textquoteleft", "’": "textquoteright", "“": "textquotedblleft"},
    "”": "textquotedblright",
}
LATEX = (
    {sign: f"\\{sign}" for sign in "#$%&_{}"}
    | {sign: rf"\{name}{{}}" for sign, name in TEXT_COMMANDS.items()}
    | {"-": "{-}"}
)
PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp,xcolor}
\setlength{\parindent}{0pt}
\setlength{\fboxsep}{1pt}
\newcommand{\word}[3]{\colorbox[HTML]{#1}{\textcolor[HTML]{#2}{\strut #3}}\allowbreak}
\newcommand{\unknown}[1]{\textit{#1}}
"""


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
