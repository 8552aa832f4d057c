"""What the question ``coverage`` says in the terminal."""

import pandas as pd
from rich.console import Console

from experiments.figures.summary import Tables
from experiments.figures.terminal.table import share, table

LEGEND = """\
explained: traced (where the library traces) and explained without an error. right: also the network is the model, every
balance closes, and LRP-0 with bias neurons is gradient × input where the network is piecewise linear.
growth: Σ|R| / |output|, median over what is explained."""
WIDTH = 110  # characters of a reason


def show_coverage(tables: Tables, console: Console) -> None:
    """Shares by family and library, then what is refused and why."""
    rows = tables["rows"]
    made = table("Architectures", "family", "library", "all", "explained", "right", "growth", left=2)
    for (family, library), part in [*rows.groupby(["family", "library"], sort=False), *totals(rows)]:
        growth = pd.to_numeric(part.growth[part.explained]).median()
        numbers = (str(len(part)), share(part.explained.mean()), share(part.right.mean()), f"{growth:.3g}")
        made.add_row(family, library, *numbers)
    console.print(made)
    own = rows[(rows.library == "dtd") & (rows.status != "explained")]
    for reason, part in own.groupby(own.reason.astype(str).str.slice(0, WIDTH), sort=False):
        console.print(f"{len(part)} × {reason}: {', '.join(part.name)}", style="dim", markup=False, highlight=False)
    console.print("\n" + LEGEND, style="dim")


def totals(rows: pd.DataFrame):
    """Each library over all families."""
    return [(("all", library), part) for library, part in rows.groupby("library", sort=False)]
