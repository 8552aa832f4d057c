"""The warning of a question that measures time on a machine that does something else as well."""

import pandas as pd
from rich.console import Console

BUSY = 0.5  # share of the cores that may be in use before a benchmark


def say_whether_busy(row: pd.Series, console: Console) -> None:
    """A warning where times were measured beside other work."""
    if row.load > BUSY * row.cores:
        busy = f"The machine was busy when this began (load {row.load:.1f} on {row.cores} cores)"
        console.print(f"{busy}: do not trust these times.", style="bold red")
