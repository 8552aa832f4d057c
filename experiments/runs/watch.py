"""One progress for a whole sweep, wherever its jobs run: it looks at their records."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from experiments.machine.console import console
from experiments.runs.record import FILE
from experiments.runs.settle import Planned

LOOK = 0.5  # seconds between two looks
UNTOUCHED = {"redirect_stdout": False, "redirect_stderr": False}  # jobs in this process redirect them on their own
SAY = 30.0  # seconds between two lines where there is no terminal


@contextmanager
def watched(jobs: Sequence[Planned], quiet: bool) -> Iterator[None]:
    """A bar in a terminal, else a line now and then, while the jobs are computed; nothing where ``quiet``."""
    if quiet:
        yield
        return
    screen = Console(file=sys.stdout, width=console.width)  # jobs in this process redirect sys.stdout, not this stream
    over = Event()
    thread = Thread(target=watch, args=(jobs, screen, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def watch(jobs: Sequence[Planned], screen: Console, over: Event) -> None:
    """Show how many jobs have a record until it is over."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    outs = {job.out for job in jobs}
    said, shown = monotonic(), 0
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal, **UNTOUCHED) as bar:
        task = bar.add_task("jobs", total=len(outs))
        while not over.wait(LOOK):
            ended = sum((out / FILE).exists() for out in outs)
            bar.update(task, completed=ended)
            if not screen.is_terminal and ended > shown and monotonic() > said + SAY:
                screen.print(f"{ended} of {len(outs)} jobs")
                said, shown = monotonic(), ended
