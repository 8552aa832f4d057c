"""``python -m experiments.report RUN_OR_SWEEP...``: tables, figures and a page from what runs have written."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dtd.plot.style import PAGE, Style, styled
from experiments.figures.typeset import typeset
from experiments.machine.console import console
from experiments.machine.results import OutputError, require_writable, save_figure, save_text
from experiments.report.cells import caption, latex
from experiments.report.floats import floats
from experiments.report.page import page
from experiments.report.references import references
from experiments.report.runs import ReportError, Run, read_runs
from experiments.report.section import Section, section

POINTS = 72.27  # of TeX in an inch
WIDTHS = {"column": 229.5 / POINTS, "text": 345 / POINTS, "page": PAGE}  # of LaTeX's class article, twocolumn and not
REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; returns the exit status."""
    asked = parser().parse_args(arguments)
    out = asked.out or asked.runs[0] / "report"
    style = Style(asked.width, asked.font, asked.size, asked.usetex)
    try:
        runs, notes = read_runs(asked.runs)
        require_writable(out)
        with styled(style):
            sections = [section(name, part, asked.measures, asked.along) for name, part in by_question(runs).items()]
            for each in sections:
                save_figures(each, style, out / "figures")
            sources = {name: text for each in sections for name, text in tables(each).items()}
            for name, text in sources.items():
                save_text(made(out / "tables") / f"{name}.tex", text)
            for each in sections:
                for name, text in floats(each, style.width > WIDTHS["column"]).items():
                    save_text(made(out / "figures") / f"{name}.tex", text)
            save_text(out / "references.bib", references(runs))
            save_text(out / "report.html", page(sections, sources, notes))
    except (ReportError, OutputError) as error:
        console.print(f"Refused: {error}", style="bold red", soft_wrap=True, markup=False)
        return REFUSED
    for note in notes:
        console.print(f"Note: {note}", style="yellow", soft_wrap=True, markup=False)
    console.print(f"Report: {out / 'report.html'}", soft_wrap=True, markup=False)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m experiments.report", description=__doc__)
    made.add_argument("runs", nargs="+", type=Path, metavar="RUN_OR_SWEEP", help="directories of runs or sweeps")
    made.add_argument("--out", type=Path, help="directory to write to (default: report/ in the first of them)")
    made.add_argument("--width", type=inches, default=PAGE, help="of figures: column, text, NUMBERpt, inches, or page")
    made.add_argument("--font", default="sans-serif", help="sans-serif, serif (Computer Modern), or a font's name")
    made.add_argument("--size", type=float, default=7.0, help="of the type in figures, in points (default: 7)")
    made.add_argument("--usetex", action="store_true", help="let an installed LaTeX set the text of figures")
    made.add_argument("--measures", type=lambda text: text.split(","), default=[], help="columns to show (default: all)")
    made.add_argument("--along", help="a setting of numbers that is the axis of the means' figure, such as gamma")
    return made


def inches(text: str) -> float:
    """A width by name, in points of TeX as ``columnwidth`` prints them, or in inches."""
    number, points, _ = text.partition("pt")
    try:
        width = WIDTHS.get(text) or float(number) / (POINTS if points else 1)
    except ValueError:
        told = f"must be column, text, page, a number of points such as 246pt, or one of inches; found '{text}'"
        raise argparse.ArgumentTypeError(told) from None
    if not 1 <= width <= 100:
        raise argparse.ArgumentTypeError(f"must be between 1 and 100 inches; found {text}")
    return width


def by_question(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs of the same question, in their order."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.question, []).append(run)
    return found


def tables(each: Section) -> dict[str, str]:
    """The LaTeX tables of a section, by name."""
    grids = {f"{each.name}_{key}": grid for key, grid in each.grids.items()}
    return {name: latex(grid, caption(grid, each.title), name) for name, grid in grids.items()}


def save_figures(each: Section, style: Style, out: Path) -> None:
    """Every figure as PDF and PNG, in the style's type."""
    for key, figure in {**each.figures, **each.own}.items():
        if not isinstance(figure, str) and (style.usetex or style.family != "sans-serif"):
            typeset(figure, style.usetex)
        try:
            save_figure(made(out) / f"{each.name}_{key}", figure)
        except RuntimeError as error:
            if not style.usetex:
                raise
            needs = "it needs latex, dvipng and the packages type1cm, type1ec (cm-super) and underscore"
            raise ReportError(f"LaTeX could not set the text of figures: {needs}. Leave out --usetex. {error}") from error


def made(directory: Path) -> Path:
    """The directory, which is there now."""
    directory.mkdir(parents=True, exist_ok=True)
    return directory


if __name__ == "__main__":
    sys.exit(main())
