"""What a question says in the terminal when its summaries say it all: the means of its tables."""

from collections.abc import Callable, Mapping

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.figures.summary import Summary, Tables, averaged, best, form
from experiments.figures.terminal.table import table


def show_summaries(summaries: Mapping[str, Summary]) -> Callable[[Tables, Console], None]:
    """What shows the means of tables, a table for each scene; curves are left to the figures."""

    def show(tables: Tables, console: Console) -> None:
        for name, summary in summaries.items():
            if summary.along is None:
                rows = tables.get(name, tables["rows"])
                for made in scenes(rows, summary.of(rows)):
                    console.print(made)
        console.print("\nMeans over samples; bold: the best, where it leads by more than the standard error.", style="dim")

    return show


def scenes(rows: pd.DataFrame, summary: Summary) -> list[Table]:
    """Means of the measures: a table for each scene, a line for each of what is compared."""
    found = averaged(rows, summary)
    means = found.xs("mean", axis=1, level=1)
    forms = {name: form(means[name]) for name in means}
    marked = pd.DataFrame({name: best(found[name], measure, summary.within) for name, measure in summary.measures.items()})
    made = []
    within = list(summary.within)
    for scene, part in means.groupby(within, sort=False) if within else [((), means)]:
        title = ", ".join(f"{column} {value}" for column, value in zip(summary.within, scene, strict=True))
        labels = (measure.shown.replace(" ", "\n") for measure in summary.measures.values())
        made.append(table(title, *summary.compared, *labels, left=len(summary.compared)))
        for line, values in part.iterrows():
            names = (str(name) for name in (line if isinstance(line, tuple) else (line,))[len(summary.within) :])
            cells = (
                Text("" if pd.isna(value) else f"{value:{forms[name]}}", "bold" if marked.loc[line, name] else "")
                for name, value in values.items()
            )
            made[-1].add_row(*names, *cells)
    return made
