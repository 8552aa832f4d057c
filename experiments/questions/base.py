"""What every question has to offer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from experiments.configs.run import Config
from experiments.figures.summary import Summary, Tables
from experiments.machine.console import SAY


def no_problems(tables: Tables) -> list[str]:
    """There are none: every outcome is an answer."""
    return []


def growing(name: str, parts: Iterable[pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    """A table from its parts, again every half minute with those there are, so that a stopped job leaves its rows so far."""
    found, said = [], monotonic()
    for part in parts:
        found.append(part)
        if monotonic() >= said + SAY:
            yield name, pd.concat(found, ignore_index=True)
            said = monotonic()
    yield name, pd.concat(found, ignore_index=True)


@dataclass(frozen=True)
class Question:
    """Compute first, then report: ``tables`` does the work; everything after it reads what it wrote, from disk.

    The table ``rows`` is the answer as tidy rows; a table that ``tables`` yields again takes the place of the one before,
    with more rows. Further tables hold what the figures need. ``problems`` names what makes
    the run fail. ``measures`` are scalars by name, which a sweeper can optimise or limit. ``summaries`` say how tables are
    read, by name: what is compared, and which direction is better; one whose name is no table's reads ``rows`` once more.
    """

    check: Callable[[Config], None]  # raises ConfigError before any work
    tables: Callable[[Config], Iterator[tuple[str, pd.DataFrame]]]
    show: Callable[[Tables, Console], None]
    figures: Callable[[Tables], Mapping[str, Figure | str]]  # a page is text under a name with its suffix
    problems: Callable[[Tables], list[str]] = no_problems
    measures: Mapping[str, Callable[[Tables], float]] = field(default_factory=dict)
    summaries: Mapping[str, Summary] = field(default_factory=dict)
