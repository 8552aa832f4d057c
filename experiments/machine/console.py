"""The one console that experiments write to, and its progress bars."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

WIDTH = 120  # where there is no terminal
T = TypeVar("T")

console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def progress(steps: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The steps, with a bar that goes away at the end; in a terminal only."""
    yield from track(steps, description, total, console=console, transient=True, disable=not console.is_terminal)
