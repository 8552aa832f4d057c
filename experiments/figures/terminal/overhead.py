"""What the question ``overhead`` says in the terminal."""

from rich.console import Console

from experiments.figures.summary import Tables
from experiments.figures.terminal.busy import say_whether_busy
from experiments.figures.terminal.table import table

LEGEND = """\
s: from the command to its end, start of Python included; CPU: processor seconds. overhead: seconds a job beyond its
bare computation, which is shared out among the processes. speed-up: to one process (basic)."""


def show_overhead(tables: Tables, console: Console) -> None:
    """Launcher by launcher: seconds a job, beyond its bare computation, and how much faster than one process."""
    rows = tables["rows"].assign(each=lambda rows: rows.seconds / rows.jobs, cpu=lambda rows: rows.cpu / rows.jobs)
    one = rows[rows.launcher == "basic"].each.max()
    columns = ("launcher", "jobs", "processes", "s", "s/job", "CPU/job", "overhead", "speed-up")
    made = table("A sweep beside its bare computation", *columns)
    for r in rows.itertuples():
        beside = ("", "") if r.launcher == "bare" else (f"{r.overhead:.3f}", f"{one / r.each:.2f}")
        counts = (str(r.jobs), str(r.processes))
        made.add_row(r.launcher, *counts, f"{r.seconds:.1f}", f"{r.each:.3f}", f"{r.cpu:.3f}", *beside)
    console.print(made)
    console.print("\n" + LEGEND, style="dim")
    say_whether_busy(rows.iloc[0], console)
