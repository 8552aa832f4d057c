"""The table of architectures as a page in Markdown; ``docs/coverage.md`` is the page of a run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.summary import Tables

TEXT = Path(__file__).parent / "templates" / "coverage.md"
MARKS = {"explained": "✓", "refused": "–", "lost": "×", "broken": "?"}
WRONG = "✗"
REASON = 120  # characters


def page(tables: Tables) -> Mapping[str, Figure | str]:
    """``coverage.md``: what was done, shares by family, then a line for each architecture."""
    return {"coverage.md": TEXT.read_text(encoding="utf-8") + "\n".join(lines(tables["rows"])) + "\n"}


def lines(rows: pd.DataFrame) -> Iterator[str]:
    """The page, line by line."""
    libraries = list(dict.fromkeys(rows.library))
    yield "| family | architectures | " + " | ".join(f"{library} explains | right" for library in libraries) + " |"
    yield "|" + "---|" * (2 + 2 * len(libraries))
    for family, part in [*rows.groupby("family", sort=False), ("all", rows)]:
        counts = [part[part.library == library] for library in libraries]
        cells = (f"{int(each.explained.sum())} | {int(each.right.sum())}" for each in counts)
        yield f"| {family} | {part.name.nunique()} | " + " | ".join(cells) + " |"
    yield ""
    numbers = "Σ R / f | Σ\\|R\\| / \\|f\\| | LRP-0 is gradient × input"
    yield "| architecture | " + " | ".join(libraries) + f" | {numbers} | why not |"
    yield "|" + "---|" * (len(libraries) + 5)
    for name, part in rows.groupby("name", sort=False):
        yield line(name, part, libraries)


def line(name: str, part: pd.DataFrame, libraries: list[str]) -> str:
    """One architecture: a mark for each library, then the numbers and the refusal of the first."""
    own = part.iloc[0]
    marks = [mark(part[part.library == library]) for library in libraries]
    numbers = [number(own.reached), number(own.growth), number(own.gradient)]
    why = "" if own.status == "explained" else str(own.reason)[:REASON].replace("|", "\\|")
    return "| " + " | ".join([f"`{name}`", *marks, *numbers, why]) + " |"


def mark(rows: pd.DataFrame) -> str:
    """How one library did."""
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return MARKS[row.status] if row.status != "explained" or row.right else WRONG


def number(value: object) -> str:
    """A number, or nothing where there is none."""
    return "" if pd.isna(value) else f"{float(value):.3g}"
