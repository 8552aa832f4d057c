"""What a table's columns mean, and its mean and spread over seeds; from rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from experiments.figures.order import rank

SMALL = 1e-3  # columns below it are printed with powers of ten
RUN = "run"  # the column that tells runs apart

Tables = Mapping[str, pd.DataFrame]  # what a question wrote, by name


@dataclass(frozen=True)
class Measure:
    """A column of numbers: what it is called in print, and which value is best: "high", "low", or a number to be near."""

    label: str
    best: str | float | None = None

    @property
    def target(self) -> float | None:
        """The number that values are to be near, if that is what is best."""
        return None if self.best is None or isinstance(self.best, str) else float(self.best)

    @property
    def shown(self) -> str:
        """What the averaged column is called: of a number to be near, the mean distance from it, which cannot cancel."""
        return self.label if self.target is None else f"|{self.label} − {self.target:g}|"

    def averages(self, values: pd.Series) -> pd.Series:
        """What is averaged: the values, or how far each is from the number that it is to be near."""
        return values if self.target is None else (values - self.target).abs()

    def distance(self, means: pd.Series) -> pd.Series:
        """Averages such that less is better."""
        return -means if self.best == "high" else means


@dataclass(frozen=True)
class Summary:
    """How one table of a question is read.

    ``within`` are columns that set the scene, ``compared`` those whose values compete in each scene; all other columns
    that are no measure (samples, say) are averaged over. ``along`` is the x axis of a curve, and the values of
    ``dashed`` are lines of other dashes in the same panel. Rows that differ from
    ``only`` do not count.
    """

    within: tuple[str, ...]
    compared: tuple[str, ...]
    measures: Mapping[str, Measure]
    along: str | None = None
    dashed: str | None = None
    only: Mapping[str, object] = field(default_factory=dict)

    def of(self, table: pd.DataFrame, wanted: Sequence[str] = ()) -> "Summary":
        """The summary without the measures that a table lacks or that are not ``wanted`` (nothing: all are)."""
        present = [name for name in self.measures if name in table and table[name].notna().any()]
        return replace(self, measures={name: self.measures[name] for name in present if not wanted or name in wanted})

    @property
    def by(self) -> tuple[str, ...]:
        """All columns that name a line."""
        return (*self.within, *self.compared, *filter(None, (self.dashed, self.along)))


def averaged(table: pd.DataFrame, summary: Summary) -> pd.DataFrame:
    """Mean, deviation and standard error of each measure over runs, each of which counts with its mean over samples.

    Of a measure that is to be near a number, what is averaged is the distance of each sample from it. Columns ``(measure,
    "mean" | "std" | "runs" | "error" | "samples")``, indexed by ``summary.by``, scene by scene; what is compared stands in
    the order of the catalogue, then of the rows, and the axis rises. The deviation (of a sample, ``n − 1``) is missing where
    there is one run; the standard error is then that over the run's samples. ``samples`` are those of one run, at most.
    """
    by, measures = list(summary.by), list(summary.measures)
    for column, value in summary.only.items():
        table = table[table[column] == value]
    runs = [RUN] if RUN in table else []
    table = table.assign(**{name: measure.averages(table[name]) for name, measure in summary.measures.items()})
    within_run = table[[*by, *runs, *measures]].groupby([*by, *runs], sort=False, dropna=False)[measures]
    over = within_run.mean().groupby(by, sort=False, dropna=False)[measures]
    found = {"mean": over.mean(), "std": over.std(), "runs": over.count()}
    alone = within_run.sem().groupby(by, sort=False, dropna=False)[measures].first()
    found["error"] = (found["std"] / np.sqrt(found["runs"])).where(found["runs"] > 1, alone)
    found["samples"] = within_run.count().groupby(by, sort=False, dropna=False)[measures].max()
    spread = pd.concat({(name, kind): table[name] for kind, table in found.items() for name in measures}, axis=1)
    lines = spread.index.to_frame(index=False)
    keys = lines.apply(lambda values: values if values.name == summary.along else placed(values, summary))
    return spread.iloc[keys.sort_values(by).index]


def placed(values: pd.Series, summary: Summary) -> pd.Series:
    """The place of each value of a column: what is compared by the catalogue, all else as it first appears."""
    seen = first_seen(values)
    return seen + len(seen) * values.map(rank) if values.name in summary.compared else seen


def first_seen(values: pd.Series) -> pd.Series:
    """The place of each value in the order in which they first appear."""
    return pd.Series(pd.factorize(values, use_na_sentinel=False)[0])


def best(found: pd.DataFrame, measure: Measure, within: Sequence[str]) -> pd.Series:
    """Which line of one measure's averages is the best of its scene: better than each other by more than the standard error.

    That is the error of the difference of the two means. None is the best where two are closer than that, where no error
    is known, where a line is alone, and where the measure has no better direction.
    """
    marked = pd.Series(False, found.index)
    if measure.best is None:
        return marked
    scenes = found.groupby(list(within), sort=False, dropna=False).indices.values() if within else [np.arange(len(found))]
    for places in scenes:
        part = found.iloc[places]
        distance, error = measure.distance(part["mean"]).to_numpy(float), part["error"].to_numpy(float)
        there = np.flatnonzero(~np.isnan(distance))
        if len(there) < 2:
            continue
        first = there[np.argmin(distance[there])]
        others = there[there != first]
        clear = distance[others] - distance[first] > np.hypot(error[others], error[first])  # False where an error is NaN
        marked.iloc[places[first]] = bool(clear.all())
    return marked


def form(values: pd.Series, digits: int = 3) -> str:
    """The format in which the largest |value| has so many significant digits, and all values the same decimals."""
    largest = values.abs().max()
    if 0 < largest < SMALL:
        return ".1e"
    return f".{int(np.clip(digits - 1 - np.floor(np.log10(largest)), 0, 6)) if largest > 0 else 0}f"
