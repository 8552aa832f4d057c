"""The one console that experiments write to, and how far long work is: a bar in a terminal, lines elsewhere."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import track

WIDTH = 120  # where there is no terminal
SAY = 30.0  # seconds between two lines about one piece of work
PROGRESS = "experiments.progress"  # the logger of these lines
T = TypeVar("T")

console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def progress(steps: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The steps, with a bar that goes away at the end; without a terminal a line in the log now and then."""
    if console.is_terminal:
        yield from track(steps, description, total, console=console, transient=True)
        return
    whole = len(steps) if total is None and isinstance(steps, Sized) else total
    said = monotonic()
    for number, step in enumerate(steps):
        if number and monotonic() >= said + SAY:
            of = "" if whole is None else f" of {whole}"
            logging.getLogger(PROGRESS).info("%s: %d%s done", description, number, of)
            said = monotonic()
        yield step
