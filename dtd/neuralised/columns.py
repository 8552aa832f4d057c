"""From raw columns to a model's inputs, and which column each input comes from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dtd.errors import InputError


@dataclass(frozen=True, eq=False)
class Columns:
    """How rows of a data frame become inputs. ``owners``: the number of each input's column."""

    columns: tuple[str, ...]
    names: tuple[str, ...]
    owners: tuple[int, ...]
    steps: tuple[Callable[[Any], Any], ...] = ()

    @classmethod
    def plain(cls, columns: Sequence[str]) -> "Columns":
        """The columns as they are."""
        return cls(tuple(columns), tuple(columns), tuple(range(len(columns))))

    def encode(self, frame: pd.DataFrame) -> Any:
        """The inputs. # shape: (B, columns) -> (B, M)"""
        values: Any = frame
        for step in self.steps:
            values = step(values)
        return values

    def then(self, step: Callable[[Any], Any], names: Sequence[str], sources: Sequence[int]) -> "Columns":
        """One more step, whose outputs come from the inputs ``sources`` so far."""
        owners = tuple(self.owners[k] for k in sources)
        return replace(self, names=tuple(names), owners=owners, steps=(*self.steps, step))


@dataclass(frozen=True, eq=False)
class Fill:
    """NaN filled in."""

    imputer: Any

    def __call__(self, values: Any) -> Any:
        return self.imputer.transform(as_fitted(self.imputer, values))


@dataclass(frozen=True, eq=False)
class OneHot:
    """Categories as columns of 0 and 1."""

    encoder: Any

    def __call__(self, values: Any) -> Any:
        made = self.encoder.transform(as_fitted(self.encoder, values))
        return made.toarray() if hasattr(made, "toarray") else made


@dataclass(frozen=True, eq=False)
class Beside:
    """Parts side by side, each of its own columns."""

    parts: tuple[Columns, ...]
    taken: tuple[tuple[int, ...], ...]

    def __call__(self, values: Any) -> Any:
        frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(values)
        pieces = [part.encode(frame.iloc[:, list(at)]) for part, at in zip(self.parts, self.taken, strict=True)]
        return np.concatenate([np.asarray(piece, dtype=np.float64) for piece in pieces], 1)


def as_fitted(transformer: Any, values: Any) -> Any:
    """Rows with names or without, as a transformer was fitted."""
    if hasattr(transformer, "feature_names_in_"):
        names = list(transformer.feature_names_in_)
        return values.set_axis(names, axis=1) if isinstance(values, pd.DataFrame) else pd.DataFrame(values, columns=names)
    return values.to_numpy() if isinstance(values, pd.DataFrame) else values


def after_filling(columns: Columns, imputer: Any) -> Columns:
    """After a SimpleImputer, which must keep every column."""
    if imputer.add_indicator:
        raise InputError("SimpleImputer with add_indicator=True makes columns of its own; neuralise one without it.")
    known = imputer.statistics_
    empty = [name for name, value in zip(columns.names, known, strict=True) if isinstance(value, float) and np.isnan(value)]
    if empty and not imputer.keep_empty_features:
        raise InputError(f"SimpleImputer found no value at all in {empty} and drops it: remove that column and fit again.")
    return columns.then(Fill(imputer), columns.names, range(len(columns.names)))


def after_encoding(columns: Columns, encoder: Any) -> Columns:
    """After a OneHotEncoder."""
    names: list[str] = []
    sources: list[int] = []
    drop = encoder.drop_idx_
    for k, categories in enumerate(encoder.categories_):
        kept = [c for i, c in enumerate(categories) if drop is None or drop[k] != i]
        names += [f"{columns.names[k]}={c}" for c in kept]
        sources += [k] * len(kept)
    if len(names) != len(encoder.get_feature_names_out()):
        raise InputError(
            "OneHotEncoder with infrequent categories joined is not neuralised: leave out min_frequency and max_categories."
        )
    return columns.then(OneHot(encoder), names, sources)


def chosen_columns(chosen: Any, names: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the columns that a ColumnTransformer gives to a part."""
    if isinstance(chosen, (str, int, np.integer)):
        chosen = [chosen]
    if isinstance(chosen, slice):
        start = names.index(chosen.start) if isinstance(chosen.start, str) else chosen.start
        stop = names.index(chosen.stop) + 1 if isinstance(chosen.stop, str) else chosen.stop
        return tuple(range(len(names))[start : stop : chosen.step])
    found = list(chosen)
    if found and isinstance(found[0], (bool, np.bool_)):
        return tuple(k for k, taken in enumerate(found) if taken)
    return tuple(names.index(str(c)) if isinstance(c, str) else int(c) % len(names) for c in found)
