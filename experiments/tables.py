"""What a run says in the terminal; reads rows only."""

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.questions.base import Tables

LEGEND = """\
float64, float32: the largest |derived − explicit| of any layer or of the network, relative to the largest |relevance|.
of limit: the largest difference as a share of what rounding allows that entry (float64: plus 1e-10); where: the layer.
cosine, rank: the lowest in any layer, sample and precision. Σ: relevance that reaches the input / explained output."""

COST_LEGEND = """\
ms, ratio: medians of {rounds} rounds, in parentheses the fastest and slowest; batch 1, float32, threads: {threads}.
ratio: to gradient × input in the same round. difference: the largest to dtd's relevance, relative to the largest
relevance; in float64."""


def table(title: str, *columns: str, left: int = 1) -> Table:
    """An empty table; the first ``left`` columns are aligned to the left."""
    made = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < left else "right", no_wrap=True)
    return made


def share(value: float) -> str:
    """A share in per cent."""
    if value != value:
        return "nan"
    return "0 %" if value == 0 else "< 1 %" if value < 0.01 else f"{value:.0%}".replace("%", " %")


def show_correspondence(tables: Tables, console: Console) -> None:
    """One table for each model: rules × bias modes, over all layers, samples and precisions."""
    for model, rows in tables["rows"].groupby("model", sort=False):
        console.print(correspondence(model, rows))
    console.print(LEGEND, style="dim")
    rows = tables["rows"]
    pairs, wrong = len(rows), int((~rows.agree).sum())
    verdict = f"All {pairs:,} pairs agree." if not wrong else f"{wrong:,} of {pairs:,} pairs disagree."
    console.print(Text(verdict, style="bold green" if not wrong else "bold red"))


def correspondence(model: str, rows: pd.DataFrame) -> Table:
    """The table of one model."""
    dtypes = list(rows["dtype"].unique())
    first = rows.iloc[0]
    accuracy = "" if pd.isna(first.accuracy) else f", test accuracy {first.accuracy:.1%}".replace("%", " %")
    title = f"{model}: derived against explicit ({first.samples} samples{accuracy})"
    made = table(
        title, "rule", "bias", *dtypes, "of limit", "where", "cosine", "rank", "Σ derived", "Σ explicit", "", left=2
    )
    last = None
    for (rule, bias), group in rows.groupby(["rule", "bias"], sort=False):
        worst = group.loc[group.of_allowed.fillna(float("inf")).idxmax()]
        whole = group[group.kind == "network"].iloc[0]
        errors = (f"{group[group['dtype'] == dtype].max_rel.max(skipna=False):.1e}" for dtype in dtypes)
        agree = bool(group.agree.all())
        made.add_row(
            rule if rule != last else "",
            bias,
            *errors,
            share(worst.of_allowed),
            worst.layer,
            f"{group.cosine.min(skipna=False):.6f}",
            f"{group['rank'].min(skipna=False):.4f}",
            f"{whole.conserved_derived:.4f}",
            f"{whole.conserved_explicit:.4f}",
            Text("agree", "green") if agree else Text("DIFFER", "bold red"),
        )
        last = rule
    return made


def show_cost(tables: Tables, console: Console) -> None:
    """For each model, methods × (seconds, ratio to gradient × input): medians over the rounds."""
    rows = tables["rows"]
    for model, part in rows.groupby("model", sort=False):
        console.print(cost(model, part))
    rounds, threads = rows["round"].max() + 1, rows.threads.iloc[0]
    console.print(COST_LEGEND.format(rounds=rounds, threads=threads), style="dim")


def cost(model: str, rows: pd.DataFrame) -> Table:
    """The table of one model."""
    made = table(f"{model}: cost of one explanation", "rule", "bias", "library", "ms", "ratio", "", "difference", left=3)
    last = None
    for (rule, bias, library), group in rows.groupby(["rule", "bias", "library"], sort=False, dropna=False):
        made.add_row(
            rule if rule != last else "",
            "" if pd.isna(bias) else bias,
            library if library != rule else "torch",
            f"{1e3 * group.seconds.median():.4g}",
            f"{group.ratio.median():.2f}",
            f"({group.ratio.min():.2f} – {group.ratio.max():.2f})",
            "" if pd.isna(group.difference.iloc[0]) else f"{group.difference.iloc[0]:.1e}",
        )
        last = rule
    return made
