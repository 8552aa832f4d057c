"""What a table's columns mean, and its mean and spread over seeds; from rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

SMALL = 1e-3  # columns below it are printed with powers of ten
RUN = "run"  # the column that tells runs apart

Tables = Mapping[str, pd.DataFrame]  # what a question wrote, by name


@dataclass(frozen=True)
class Measure:
    """A column of numbers: what it is called in print, and which value is best: "high", "low", or a number to be near."""

    label: str
    best: str | float | None = None

    def distance(self, values: pd.Series) -> pd.Series:
        """How far values are from the best; less is better."""
        if self.best in ("high", "low"):
            return -values if self.best == "high" else values
        return (values - self.best).abs()


@dataclass(frozen=True)
class Summary:
    """How one table of a question is read.

    ``within`` are columns that set the scene, ``compared`` those whose values compete in each scene; all other columns
    that are no measure (samples, say) are averaged over. ``along`` is the x axis of a curve. Rows that differ from
    ``only`` do not count.
    """

    within: tuple[str, ...]
    compared: tuple[str, ...]
    measures: Mapping[str, Measure]
    along: str | None = None
    only: Mapping[str, object] = field(default_factory=dict)

    def of(self, table: pd.DataFrame, wanted: Sequence[str] = ()) -> "Summary":
        """The summary without the measures that a table lacks or that are not ``wanted`` (nothing: all are)."""
        present = [name for name in self.measures if name in table and table[name].notna().any()]
        return replace(self, measures={name: self.measures[name] for name in present if not wanted or name in wanted})

    @property
    def by(self) -> tuple[str, ...]:
        """All columns that name a line."""
        return (*self.within, *self.compared, *((self.along,) if self.along else ()))


def averaged(table: pd.DataFrame, summary: Summary) -> pd.DataFrame:
    """Mean and standard deviation of each measure over runs, each of which counts with its mean over samples.

    Columns ``(measure, "mean" | "std" | "runs")``, indexed by ``summary.by``, scene by scene, each column's values in the
    order of the rows and the axis rising; the deviation (of a sample, ``n − 1``) is missing where there is one run.
    """
    by, measures = list(summary.by), list(summary.measures)
    for column, value in summary.only.items():
        table = table[table[column] == value]
    runs = [RUN] if RUN in table else []
    each = table[[*by, *runs, *measures]].groupby([*by, *runs], sort=False, dropna=False)[measures].mean()
    spread = each.groupby(by, sort=False, dropna=False)[measures].agg(["mean", "std", "count"])
    lines = spread.index.to_frame(index=False)
    keys = lines.apply(lambda values: values if values.name == summary.along else first_seen(values))
    return spread.iloc[keys.sort_values(by).index].rename(columns={"count": "runs"}, level=1)


def first_seen(values: pd.Series) -> pd.Series:
    """The place of each value in the order in which they first appear."""
    return pd.Series(pd.factorize(values, use_na_sentinel=False)[0])


def best(means: pd.Series, measure: Measure, within: Sequence[str]) -> pd.Series:
    """Which of the means is the best of its scene (ties all are); none where the measure has no better direction."""
    if measure.best is None:
        return pd.Series(False, means.index)
    distance = measure.distance(means)
    if not within:
        return distance == distance.min()
    scenes = distance.groupby(list(within), sort=False, dropna=False)
    return (distance == scenes.transform("min")) & (scenes.transform("size") > 1)


def form(values: pd.Series, digits: int = 3) -> str:
    """The format in which the largest |value| has so many significant digits, and all values the same decimals."""
    largest = values.abs().max()
    if 0 < largest < SMALL:
        return ".1e"
    return f".{int(np.clip(digits - 1 - np.floor(np.log10(largest)), 0, 6)) if largest > 0 else 0}f"
