"""The one console that experiments write to."""

import sys

from rich.console import Console

WIDTH = 120

console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
