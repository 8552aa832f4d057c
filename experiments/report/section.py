"""One question's part of a report: its tables, its figures, and what sets its runs apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.curves import all_curves
from experiments.figures.dots import dots
from experiments.report.cells import Grid, grid
from experiments.report.joined import Joined, differing, joined, ordered
from experiments.report.runs import ReportError, Run, asked


@dataclass(frozen=True, eq=False)
class Section:
    """What is reported of one question; ``settings`` has one row for each run."""

    name: str
    title: str
    runs: Sequence[Run]
    grids: Mapping[str, Grid]
    figures: Mapping[str, Figure]  # of all runs together
    own: Mapping[str, Figure | str]  # the question's own, of the first run
    settings: pd.DataFrame


def section(name: str, runs: Sequence[Run], measures: Sequence[str], along: str | None) -> Section:
    """The report of a question's runs; ``measures`` restricts the numbers that are shown, by column; ``along`` is a
    setting over which curves are drawn rather than dots.

    Figures are drawn in the style that is in force. Raises :class:`ReportError` where no measure is left, or where nothing
    differs in ``along``.
    """
    runs = ordered(runs)
    question, title = asked(runs[0])
    tables = {key: joined(runs, key, summary, measures) for key, summary in (question.summaries or {"rows": None}).items()}
    shown = {key: table for key, table in tables.items() if table.summary.measures}
    if not shown:
        known = sorted({measure for summary in question.summaries.values() for measure in summary.measures})
        raise ReportError(f"Question '{name}' has no measure {', '.join(measures)}; it has {', '.join(known) or 'none'}.")
    if along and not any(along in table.summary.compared for table in shown.values()):
        known = sorted({column for table in shown.values() for column in table.summary.compared})
        raise ReportError(f"Nothing differs in '{along}' in the rows of '{name}'; what is compared is {', '.join(known)}.")
    plotted = {key: table.along(along) if along else table for key, table in shown.items()}
    together = {figure: made for key, table in plotted.items() for figure, made in drawn(key, table).items()}
    axes = [key for key, summary in question.summaries.items() if summary.along]  # their curves are drawn of all runs
    own = {key: made for key, made in question.figures(runs[0].tables).items() if not key.startswith(tuple(axes))}
    grids = {key: grid(table) for key, table in shown.items() if table.summary.along is None}
    return Section(name, title, runs, grids, together, own, differing(runs))


def drawn(key: str, each: Joined) -> dict[str, Figure]:
    """Curves of a table that has an axis, dots of another."""
    if each.summary.along is None:
        return {"means" if key == "rows" else f"means_{key}": dots(each.table, each.summary)}
    return all_curves(key, each.table, each.summary)
