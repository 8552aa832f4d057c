"""The report as one self-contained page."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from experiments.figures.names import plain
from experiments.report.cells import caption, sparse_lines
from experiments.report.section import Section


def page(sections: Sequence[Section], sources: Mapping[str, str], notes: Sequence[str]) -> str:
    """HTML without any reference to another file; ``sources`` are the LaTeX tables, by ``question_table``."""
    environment = Environment(loader=PackageLoader("experiments.report"), undefined=StrictUndefined, autoescape=True)
    environment.filters.update(embedded=embedded, caption=caption, lines=sparse_lines, plain=plain)
    return environment.get_template("report.html.j2").render(sections=sections, sources=sources, notes=notes)


def embedded(figure: Figure) -> str:
    """A figure as a data address, in vectors."""
    file = BytesIO()
    figure.savefig(file, format="svg")
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()
