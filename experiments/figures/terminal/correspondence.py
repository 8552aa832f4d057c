"""What the question ``correspondence`` says in the terminal."""

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.figures.summary import Tables
from experiments.figures.terminal.table import share, table

LEGEND = """\
float64, float32: the largest |derived − explicit| of any layer or of the network, relative to the largest |relevance|.
of limit: the largest difference as a share of what rounding allows that entry (float64: plus 1e-10); where: the layer.
cosine, rank: the lowest in any layer, sample and precision. Σ: relevance that reaches the input / explained output."""
WIDE, WIDE_ONLY = 110, ("where", "cosine", "rank")
NARROW = f"\nThe columns where, cosine and rank need a terminal of {WIDE} columns; rows.csv has everything."


def show_correspondence(tables: Tables, console: Console) -> None:
    """One table for each model: rules × bias modes, over all layers, samples and precisions."""
    rows = tables["rows"]
    wide = console.width >= WIDE
    for model, part in rows.groupby("model", sort=False):
        console.print(correspondence(model, part, wide))
    console.print("\n" + (LEGEND if wide else LEGEND + NARROW), style="dim")
    wrong = int((~rows.agree).sum())
    verdict = f"{wrong:,} of {len(rows):,} pairs disagree." if wrong else f"All {len(rows):,} pairs agree."
    console.print(Text(verdict, style="bold red" if wrong else "bold green"))


def correspondence(model: str, rows: pd.DataFrame, wide: bool) -> Table:
    """The table of one model."""
    lines = [line(group) for _, group in rows.groupby(["rule", "bias"], sort=False)]
    columns = [column for column in lines[0] if wide or column not in WIDE_ONLY]
    first = rows.iloc[0]
    accuracy = "" if pd.isna(first.accuracy) else f", test accuracy {100 * first.accuracy:.1f} %"
    made = table(f"{model}: derived against explicit ({first.samples} samples{accuracy})", *columns, left=2)
    last = None
    for cells in lines:
        made.add_row("" if cells["rule"] == last else cells["rule"], *(cells[column] for column in columns[1:]))
        last = cells["rule"]
    return made


def line(rows: pd.DataFrame) -> dict[str, str | Text]:
    """What the table says about one rule in one bias mode."""
    worst = rows.loc[rows.of_allowed.fillna(float("inf")).idxmax()]
    whole = rows[rows.kind == "network"].iloc[0]
    errors = {dtype: part.max_rel.max(skipna=False) for dtype, part in rows.groupby("dtype", sort=False)}
    return {
        "rule": worst.rule,
        "bias": worst.bias,
        **{dtype: f"{error:.1e}" for dtype, error in errors.items()},
        "of limit": share(worst.of_allowed),
        "where": worst.layer,
        "cosine": f"{rows.cosine.min(skipna=False):.6f}",
        "rank": f"{rows['rank'].min(skipna=False):.4f}",
        "Σ derived": f"{whole.conserved_derived:.4f}",
        "Σ explicit": f"{whole.conserved_explicit:.4f}",
        "": Text("agree", "green") if rows.agree.all() else Text("DIFFER", "bold red"),
    }
