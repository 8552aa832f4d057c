"""Runs of one question side by side: their tables in one, with a column for every setting that tells them apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from experiments.figures.summary import RUN, Measure, Summary
from experiments.report.facts import facts
from experiments.report.runs import Run
from experiments.runs.identity import AROUND

FEW = 12  # values of a text column that make lines of a table, where the question does not say what is compared


@dataclass(frozen=True, eq=False)
class Joined:
    """One table of several runs, and how it is read: settings that differ are compared too, seeds are averaged over."""

    table: pd.DataFrame
    summary: Summary
    facts: tuple[str, ...] = ()  # what all runs share that numbers depend on, in words

    def along(self, setting: str) -> "Joined":
        """The table with a setting of numbers as the axis of curves; unchanged where the setting is not compared."""
        numbers = pd.to_numeric(self.table[setting], "coerce") if setting in self.summary.compared else pd.Series(pd.NA)
        if self.summary.along is not None or numbers.isna().any():
            return self
        compared = tuple(column for column in self.summary.compared if column != setting)
        summary = replace(self.summary, compared=compared, along=setting)
        return Joined(self.table.assign(**{setting: numbers}), summary, self.facts)


def is_seed(key: str) -> bool:
    """Whether a config key is a seed, by its name."""
    return key.rsplit(".", 1)[-1] == "seed"


def differing(runs: Sequence[Run]) -> pd.DataFrame:
    """The config keys that differ between runs, one row for each run; seeds included."""
    configs = pd.DataFrame([run.config for run in runs], dtype=object).map(text)
    kept = [key for key in configs if key.split(".")[0] not in (*AROUND, "threads") and configs[key].nunique() > 1]
    return configs[kept]


def ordered(runs: Sequence[Run]) -> list[Run]:
    """Runs by the names of their models and plans, then by their settings, numbers by size; seeds last."""
    runs = sorted(runs, key=named)
    settings = differing(runs).reset_index(drop=True)
    settings = settings.apply(lambda values: values if (n := pd.to_numeric(values, "coerce")).isna().any() else n)
    keys = sorted(settings, key=is_seed)
    return [runs[i] for i in settings.sort_values(keys, kind="stable").index] if keys else list(runs)


def named(run: Run) -> tuple[str, ...]:
    """The names that a run's rows give to what it is about, never those of directories."""
    rows = run.tables["rows"]
    return tuple(", ".join(map(str, dict.fromkeys(rows[c]))) if c in rows else "" for c in ("model", "plan"))


def text(value: Any) -> str:
    """A setting in print; empty where a run does not have it."""
    return "" if value is None or value != value else str(value)


def joined(runs: Sequence[Run], name: str, summary: Summary | None, measures: Sequence[str]) -> Joined:
    """The table ``name`` of all runs, or their rows; without a summary it is read by its columns' types."""
    tables = [run.tables.get(name, run.tables["rows"]).assign(**{RUN: i}) for i, run in enumerate(runs)]
    table = pd.concat(tables, ignore_index=True)
    settings = differing(runs)
    settings = short(settings[[key for key in settings if not is_seed(key)]], table)
    summary = (summary or guessed(table)).of(table, measures)
    twins = repeated(table, runs)
    for column, values in settings.items():
        told = table[RUN].map(dict(enumerate(values)))
        known = [c for c in summary.by if c != summary.along]
        names = [table[c][~twins] for c in known]
        explained = told[~twins].groupby(names, dropna=False).nunique().max() <= 1 if known else False
        if not explained:
            table[column] = told
            summary = replace(summary, compared=(*summary.compared, column))
    return Joined(table[~repeated(table, runs)].reset_index(drop=True), summary, facts(runs))


def repeated(table: pd.DataFrame, runs: Sequence[Run]) -> pd.Series:
    """Rows that an earlier run with the same seeds has too: what its settings do not touch, such as a baseline.

    A run that has no others stays whole: that its settings change nothing is to be seen.
    """
    configs = [str(sorted((k, str(v)) for k, v in run.config.items() if is_seed(k))) for run in runs]
    seeds = table[RUN].map(dict(enumerate(configs)))
    within = table.groupby([c for c in table], dropna=False).cumcount()  # a run's own equal rows are no repetition
    found = table.drop(columns=RUN).assign(seeds=seeds, within=within).duplicated()
    return found & ~found.groupby(table[RUN]).transform("all")


def short(settings: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The last words of dotted keys as column names, where no other key and no column of the table has the same."""
    last = [key.rsplit(".", 1)[-1] for key in settings]
    free = [last.count(word) == 1 and word not in table for word in last]
    names = [word if alone else f"config {key}" for word, key, alone in zip(last, settings, free, strict=True)]
    return settings.set_axis(names, axis=1)


def guessed(table: pd.DataFrame) -> Summary:
    """Lines by the text columns of few values, measures by the columns of real numbers."""
    columns = table.drop(columns=RUN)
    lines = [c for c in columns.select_dtypes(exclude="number") if 1 < table[c].nunique() <= FEW]
    measures = {c: Measure(c.replace("_", " ")) for c in columns.select_dtypes("floating")}
    return Summary((), tuple(lines), measures)
