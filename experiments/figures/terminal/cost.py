"""What the question ``cost`` says in the terminal."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from experiments.figures.cost import BASELINE
from experiments.figures.summary import Tables
from experiments.figures.terminal.busy import say_whether_busy
from experiments.figures.terminal.table import table

LEGEND = """\
ms, ratio: medians of {rounds} rounds, in parentheses the fastest and slowest; float32, threads: {threads}.
ratio: to the fastest gradient × input (named in the title) in the same round. difference: the largest to dtd's relevance
in float64, relative to the largest relevance; dtd's own in float32, all others in float64."""


def show_cost(tables: Tables, console: Console) -> None:
    """For each model, methods × (seconds, ratio to gradient × input): medians over the rounds."""
    rows = tables["rows"]
    for (model, batch), part in rows.groupby(["model", "batch"], sort=False):
        console.print(cost(f"{model}, batch {batch}", part))
    for (model, batch), part in tables["memory"].groupby(["model", "batch"], sort=False) if "memory" in tables else ():
        timed = rows[(rows.model == model) & (rows.batch == batch)]
        console.print(peaks(f"{model}, batch {batch}", part, timed.baseline.iloc[0]))
    if "audits" in tables:
        console.print(audits(tables["audits"]))
    first = rows.iloc[0]
    console.print("\n" + LEGEND.format(rounds=rows["round"].max() + 1, threads=first.threads), style="dim")
    say_whether_busy(first, console)


def cost(model: str, rows: pd.DataFrame) -> Table:
    """The table of one model."""
    title = f"{model}: cost of one explanation, against gradient × input {rows.baseline.iloc[0]}"
    made = table(title, "rule", "bias", "library", "ms", "ratio", "", "difference", left=3)
    last = None
    for (rule, bias, library), group in rows.groupby(["rule", "bias", "library"], sort=False, dropna=False):
        made.add_row(
            rule if rule != last else "",
            "" if pd.isna(bias) else bias,
            library,
            f"{1e3 * group.seconds.median():.4g}",
            f"{group.ratio.median():.2f}",
            f"({group.ratio.min():.2f} – {group.ratio.max():.2f})",
            "" if pd.isna(group.difference.iloc[0]) else f"{group.difference.iloc[0]:.1e}",
        )
        last = rule
    return made


def peaks(title: str, rows: pd.DataFrame, fastest: str) -> Table:
    """Peak memory on one model, against the variant of gradient × input that is fastest."""
    made = table(f"{title}: peak memory added to the loaded and traced model", "rule", "library", "MB", "ratio", left=2)
    baseline = rows[(rows.library == BASELINE) & (rows.rule == fastest)].megabytes.iloc[0]
    for r in rows.itertuples():
        made.add_row(r.rule, r.library, f"{r.megabytes:.0f}", f"{r.megabytes / baseline:.2f}")
    return made


def audits(rows: pd.DataFrame) -> Table:
    """Seconds of one audit of each model."""
    columns = ("model", "layers", "units", "coordinates", "s", "largest gap")
    made = table("one sample, so many units: every root built", *columns, left=1)
    for r in rows.itertuples():
        made.add_row(r.model, str(r.layers), str(r.units), f"{r.coordinates:.1e}", f"{r.seconds:.2f}", f"{r.gap:.1e}")
    return made
