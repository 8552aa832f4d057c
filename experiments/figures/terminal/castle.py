"""What the question ``castle`` says in the terminal."""

import pandas as pd
from rich.console import Console
from rich.text import Text

from experiments.figures.summary import Tables
from experiments.figures.terminal.table import share, table

LEGEND = """\
of f(x): what reaches the pixels, stays with biases, in zeroth terms and remainders. |Σ|: Σ|relevance| / |f(x)|.
valid: share of sampled units whose root is one, mean over layers. apart: Σ|R − R_winner| / Σ|R_winner|, average pooling.
|d − e|: the largest difference of derived and explicit, relative to the largest relevance."""


def show_castle(tables: Tables, console: Console) -> None:
    """One line for each panel."""
    rows = tables["rows"]
    first = rows.iloc[0]
    made = table(
        f"{first.model} on {first.image}: '{first.class_name}', p = {first.probability:.4f} (top-1: '{first.predicted}', "
        f"p = {first.probability_predicted:.4f})",
        *("panel", "reaches", "bias", "zeroth", "remainder", "|Σ|", "valid", "apart", "|d − e|", ""),
    )
    for row in rows.itertuples():
        made.add_row(
            row.key,
            *(f"{value:.3g}" for value in (row.reaches_pixels, row.bias, row.zeroth, row.remainder, row.absolute)),
            share(row.valid),
            "" if pd.isna(row.apart_from_winner) else f"{row.apart_from_winner:.2f}",
            f"{row.max_rel:.0e}",
            Text("agree", "green") if row.agree else Text("DIFFER", "bold red"),
        )
    console.print(made)
    console.print("\n" + LEGEND, style="dim")
