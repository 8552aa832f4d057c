"""Text for LaTeX, and for fonts that have few glyphs: special characters as maths."""

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

MATHS = {
    **{"α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "ε": r"\varepsilon", "ρ": r"\rho", "Σ": r"\Sigma"},
    **{"⁺": "^{+}", "⁻": "^{-}", "²": "^{2}", "ᴮ": r"^{\mathrm{B}}", "−": "-", "×": r"\times", "·": r"\cdot", "±": r"\pm"},
    **{"↑": r"\uparrow", "↓": r"\downarrow", "→": r"\rightarrow", "≤": r"\leq", "≥": r"\geq", "∂": r"\partial"},
    **{"|": "|", "<": "<", ">": ">", "⊙": r"\odot", "½": r"\frac{1}{2}", "√": r"\surd", "∞": r"\infty"},
}
ESCAPES = {
    **{c: f"\\{c}" for c in "&%#_{}"},
    **{"$": r"\$", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"–": "--", "…": r"\dots{}", "\u00a0": "~"},
}


def tex(text: str) -> str:
    """Text as LaTeX source; what stands between dollar signs is maths already."""
    return converted(text, MATHS, ESCAPES)


def maths(text: str) -> str:
    """Text in which characters that text fonts lack, such as Greek, are set by matplotlib's mathtext."""
    return converted(text, MATHS, {})


def converted(text: str, in_maths: dict[str, str], outside: dict[str, str]) -> str:
    """Characters outside of ``$…$`` replaced."""
    parts = text.split("$") if text.count("$") % 2 == 0 else [text]
    table = {**{ord(c): f"${m}$" for c, m in in_maths.items()}, **{ord(c): e for c, e in outside.items()}}
    made = [f"${part}$" if i % 2 else part.translate(table) for i, part in enumerate(parts)]
    return "".join(made).replace("$$", "")


def typeset(figure: Figure, latex: bool) -> None:
    """Replace the characters in all texts of a figure; ``latex`` for text that LaTeX sets."""
    convert, ticks, done = tex if latex else maths, set(), []
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        labels = axis.get_ticklabels()
        if isinstance(axis.get_major_locator(), FixedLocator) and axis.major not in done:
            done.append(axis.major)  # panels that share an axis share it, and inner ones have hidden their labels
            places = axis.get_ticklocs()
            axis.set_ticks(places, labels=[convert(text) for text in axis.get_major_formatter().format_ticks(places)])
        ticks |= {*labels, *axis.get_ticklabels(), *axis.get_ticklabels(minor=True)}
    for text in figure.findobj(Text):
        if text not in ticks:
            text.set_text(convert(text.get_text()))
