"""Tables of means ± standard deviations over seeds, the best marked, in two tongues: LaTeX and HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import pandas as pd

from experiments.figures.names import printed, titled
from experiments.figures.summary import Measure, averaged, best, form
from experiments.figures.typeset import tex
from experiments.report.joined import Joined

FEW = 5  # runs below which a table says that there are few
ARROWS = {"high": "↑", "low": "↓"}
NARROW = 300.0  # points: a wider table spans both columns
CHARACTER, SEPARATION = 5.0, 6.0  # points: width of a character, half the space between columns
MARK = "@midrule@"
FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{" + "%\n"


@dataclass(frozen=True)
class Cell:
    """A number of a table."""

    mean: str
    std: str  # empty where there is one run
    best: bool


@dataclass(frozen=True, eq=False)
class Grid:
    """A table in print: names of the columns that name lines, labels of the measures, and the lines.

    ``scenes`` are the first columns, whose values the lines of a scene share; ``constant`` are settings that all share.
    """

    names: list[str]
    labels: list[str]
    lines: list[tuple[list[str], list[Cell | None]]]
    scenes: int
    constant: dict[str, str]
    runs: int  # behind each number, at most
    samples: int  # of one run behind each number, at most
    facts: tuple[str, ...] = ()  # what all runs share that numbers depend on, in words


def grid(joined: Joined) -> Grid:
    """The means of a joined table."""
    summary, found = joined.summary, averaged(joined.table, joined.summary)
    columns = {}
    for name, measure in summary.measures.items():
        means, stds = found[name]["mean"], found[name]["std"]
        shape, marked = form(means), best(found[name], measure, summary.within)
        columns[name] = [cell(*values, shape) for values in zip(means, stds, marked, strict=True)]
    keys = found.index.to_frame(index=False).astype(str)
    same = [c for c in summary.within if keys[c].nunique() == 1 and len(keys) > 1]
    shown = keys.drop(columns=same)
    return Grid(
        names=[titled(column) for column in shown],
        labels=[label(measure) for measure in summary.measures.values()],
        lines=[
            ([printed(key) for key in line], list(cells))
            for line, cells in zip(shown.itertuples(index=False), zip(*columns.values(), strict=True), strict=True)
        ],
        scenes=len(summary.within) - len(same),
        constant={titled(column): printed(keys[column].iloc[0]) for column in same},
        runs=int(found.xs("runs", axis=1, level=1).max().max()),
        samples=int(found.xs("samples", axis=1, level=1).max().max()),
        facts=joined.facts,
    )


def label(measure: Measure) -> str:
    """What a measure is called, with the direction that is better."""
    if measure.best is None:
        return measure.label
    return f"{measure.shown} {ARROWS[str(measure.best)] if measure.target is None else ARROWS['low']}"


def cell(mean: float, std: float, marked: bool, shape: str) -> Cell | None:
    """A mean with its deviation; None where there is nothing."""
    if pd.isna(mean):
        return None
    return Cell(f"{mean:{shape}}", "" if pd.isna(std) else f"{std:{shape}}", bool(marked))


def latex(grid: Grid, caption: str, name: str) -> str:
    """A table no wider than the text around it; the preamble needs ``booktabs`` and ``graphicx``.

    The words of a measure's name stand below each other, and what is still too wide is made smaller by LaTeX.
    """
    rows = []
    for keys, cells, first in sparse_lines(grid):
        row = [*map(tex, keys), *(in_latex(cell) for cell in cells)]
        rows.append([(MARK if first else "") + row[0], *row[1:]])
    frame = pd.DataFrame(rows, columns=range(len(grid.names) + len(grid.labels)))
    header = [*map(tex, grid.names), *map(stacked, grid.labels)]
    style = frame.style.hide(axis="index").format_index(lambda i: header[i], axis=1)
    source = style.to_latex(
        hrules=True,
        column_format="l" * len(grid.names) + "r" * len(grid.labels),
        position="t",
        position_float="centering",
        caption=tex(caption),
        label=f"tab:{name}",
    )
    source = source.replace(MARK, "\\midrule\n")
    source = source.replace("\\begin{tabular}", FITTED + "\\begin{tabular}").replace("\\end{tabular}", "\\end{tabular}}")
    return source.replace("{table}", "{table*}") if natural(grid) > NARROW else source


def natural(grid: Grid) -> float:
    """About how wide a table is at the type's own size, in points."""
    heads = [longest(name.split()) for name in (*grid.names, *grid.labels)]
    texts = [
        [*keys, *(f"{c.mean} ± {c.std}" if c and c.std else c.mean if c else "" for c in cells)]
        for keys, cells in grid.lines
    ]
    columns = [max([head, *(len(line[i]) for line in texts)]) for i, head in enumerate(heads)]
    return sum(columns) * CHARACTER + 2 * SEPARATION * len(columns)


def longest(words: Sequence[str]) -> int:
    """Characters of the longest word."""
    return max(map(len, words), default=0)


def stacked(text: str) -> str:
    """The words of a measure's name below each other; a sign or a number stays on the line of the word before it."""
    if "$" in text:
        return tex(text)
    lines: list[str] = []
    for word in text.split(" "):
        if lines and not any(map(str.isalpha, word)):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    set_below = r"\\".join(map(tex, lines))
    return set_below if len(lines) == 1 else rf"\shortstack[r]{{{set_below}}}"


def sparse_lines(grid: Grid) -> Iterator[tuple[list[str], list[Cell | None], bool]]:
    """Each line without the names that repeat the line above, and whether a new scene begins with it."""
    before = None
    for keys, cells in grid.lines:
        yield sparse(keys, before), cells, before is not None and keys[: grid.scenes] != before[: grid.scenes]
        before = keys


def sparse(keys: list[str], before: list[str] | None) -> list[str]:
    """Names that are those of the line above are left out, up to the first that differs; the last is always there."""
    kept, same = [], before is not None
    for i, key in enumerate(keys):
        same = same and i < len(keys) - 1 and key == before[i]
        kept.append("" if same else key)
    return kept


def in_latex(cell: Cell | None) -> str:
    """A number in maths."""
    if cell is None:
        return "--"
    mean = rf"\mathbf{{{power(cell.mean)}}}" if cell.best else power(cell.mean)
    return f"${mean}$" if not cell.std else rf"${mean} \pm {power(cell.std)}$"


def power(number: str) -> str:
    """``6.8e-13`` as a power of ten."""
    digits, e, exponent = number.partition("e")
    if e and not float(digits):
        return "0"
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if e else digits


def caption(grid: Grid, what: str) -> str:
    """What a table shows, what its numbers depend on, and how it is to be read."""
    shared = [f"{key}: {value}" for key, value in grid.constant.items()]
    samples = [f"n = {grid.samples} samples"] if grid.samples > 1 else []
    told = ", ".join([*shared, *grid.facts, *samples])
    spread = f" Mean ± standard deviation over {grid.runs} runs." if grid.runs > 1 else ""
    if 1 < grid.runs < FEW:
        spread += f" So few runs leave the deviation itself uncertain by {100 / sqrt(2 * (grid.runs - 1)):.0f} %."
    better = any(label.endswith(tuple(ARROWS.values())) for label in grid.labels)
    over = "over runs" if grid.runs > 1 else "over samples, of one run"
    marked = f" Bold: the best, where it leads by more than the standard error ({over})." if better else ""
    return what + (f" {told[:1].upper()}{told[1:]}." if told else "") + spread + marked
