"""Figures of a report as LaTeX source: one float for each, with a caption, at the width that it was drawn for."""

from matplotlib.figure import Figure

from experiments.figures.typeset import tex
from experiments.report.section import Section

WHAT = {"means": "Means", "means_totals": "Totals"}  # how a caption begins, by the figure's name


def floats(section: Section, wide: bool) -> dict[str, str]:
    """``figure`` environments by name, to be read with ``input``; a ``wide`` one spans both columns.

    The preamble needs ``graphicx`` and ``graphicspath`` with the folder of the figures.
    """
    kind = "figure*" if wide else "figure"
    figures = {key: each for key, each in {**section.figures, **section.own}.items() if isinstance(each, Figure)}
    return {f"{section.name}_{key}": source(section, key, kind, key in section.figures) for key in figures}


def source(section: Section, key: str, kind: str, together: bool) -> str:
    """One float."""
    name = f"{section.name}_{key}"
    runs = f", over {len(section.runs)} runs" if together and len(section.runs) > 1 else ""
    facts = next((grid.facts for grid in section.grids.values()), ())
    told = f"{section.title} {WHAT.get(key, key.replace('_', ' ').capitalize())}{runs}."
    caption = tex(told + (f" {', '.join(facts)}." if facts else ""))
    lines = (
        rf"\begin{{{kind}}}[t]",
        r"\centering",
        rf"\includegraphics{{{name}}}",
        rf"\caption{{{caption}}}",
        rf"\label{{fig:{name}}}",
        rf"\end{{{kind}}}",
    )
    return "\n".join(lines) + "\n"
