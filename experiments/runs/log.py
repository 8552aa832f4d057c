"""The log of one job: a file in its run directory with warnings, tracebacks and what the question shows."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.machine.console import PROGRESS, WIDTH

FILE = "job.log"
FORMAT = "%(asctime)s %(levelname)s %(message)s"


@dataclass(frozen=True, eq=False)
class Log:
    """Where a job writes: lines with a time, and tables."""

    lines: logging.Logger
    tables: Console


@contextmanager
def logged(out: Path, loud: bool) -> Iterator[Log]:
    """Everything that is logged or warned inside goes to ``out/job.log``.

    Where ``loud``, warnings and errors go to stderr too, and lines about long work to stdout.

    Where not ``loud``, whatever is printed inside goes to the file as well. An earlier log is continued.
    """
    root, lines = logging.getLogger(), logging.getLogger("experiments")
    with ExitStack() as stack:
        stream = stack.enter_context((out / FILE).open("a", encoding="utf-8"))
        handlers = [handler(stream, logging.NOTSET)]
        if loud:
            handlers.append(handler(sys.stderr, logging.WARNING))
            shown = handler(sys.stdout, logging.INFO)
            shown.addFilter(logging.Filter(PROGRESS))
            handlers.append(shown)
        for each in handlers:
            root.addHandler(each)
            stack.callback(root.removeHandler, each)
        stack.enter_context(warnings.catch_warnings())
        logging.captureWarnings(True)
        stack.callback(logging.captureWarnings, False)
        level = lines.level
        lines.setLevel(logging.INFO)
        stack.callback(lines.setLevel, level)
        if not loud:
            stack.enter_context(redirect_stdout(stream))
            stack.enter_context(redirect_stderr(stream))
        yield Log(lines, Console(file=stream, width=WIDTH, highlight=False))


def handler(stream, level: int) -> logging.Handler:
    """A handler of one stream."""
    made = logging.StreamHandler(stream)
    made.setLevel(level)
    made.setFormatter(logging.Formatter(FORMAT))
    return made
