"""Changes of ``dtd/`` drawn by a seed, and who notices each: one row of a table, written as soon as it is known."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from proofs.mutation.changes import Change, changes_of
from proofs.mutation.copies import changed, forked
from proofs.mutation.guards import Guards

ROOMS = ("direction", "root", "relevance", "affine", "primitive", "lrp", "taylor.py", "algebra.py", "fast")
MOST = 90.0  # seconds of guards on one change; the quickest are taken


@dataclass(frozen=True)
class Row:
    """One change and who noticed it first: a proof, a test, "import", "time out", or nobody (empty)."""

    key: str
    kind: str
    before: str
    after: str
    proof: str
    test: str
    proofs_tried: int
    tests_tried: int
    tests_left_out: int
    seconds: float


def drawn(root: Path, seed: int, rooms: Iterable[str] = ROOMS) -> list[Change]:
    """All changes of some rooms in an order drawn by the seed, so that the first N are a uniform sample."""
    places = [root / "dtd" / room for room in rooms]
    files = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    found = [change for path in files for change in changes_of(root, path)]
    Random(seed).shuffle(found)
    return found


def affordable(guards: Guards, names: list[str], most: float = MOST) -> list[str]:
    """The quickest guards that together take no longer than the limit."""
    total = 0.0
    found: list[str] = []
    for name in names:
        total += guards.seconds[name]
        if total > most and found:
            break
        found.append(name)
    return found


def by_proofs(names: list[str]) -> str:
    """The first proof that does not hold any more."""
    proofs = import_module("proofs.registry").PROOFS
    for name in names:
        try:
            if proofs[name].failure():
                return name
        except Exception as error:
            return f"{name}: {type(error).__name__}"
    return ""


class First:
    """A plugin of pytest that keeps the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def by_tests(files: list[list[str]]) -> str:
    """The first test that fails, file by file."""
    for names in files:
        first = First()
        code = pytest.main([*names, "-x", "-q", "-p", "no:xdist", "-p", "no:hypothesispytest"], plugins=[first])
        if code not in (0, 5):
            return first.name or f"{names[0].split('::')[0]}: not collected"
    return ""


def filewise(guards: Guards, names: list[str]) -> list[list[str]]:
    """Tests by file: first the files with many tests for their time."""

    def file(name: str) -> str:
        return name.split("::")[0]

    groups = [list(group) for _, group in groupby(sorted(names, key=file), key=file)]
    return sorted(groups, key=lambda group: (sum(guards.seconds[name] for name in group) + 0.3) / len(group))


def surveyed(copy: Path, change: Change, proofs: Guards, tests: Guards) -> Row:
    """Change a line of the copy, and ask the proofs and the tests that execute it."""
    known = tests.of(change.path, change.lines)
    asked_proofs, asked_tests = (affordable(g, g.of(change.path, change.lines)) for g in (proofs, tests))
    seconds, said = 0.0, []
    with changed(copy, change):
        for guards, names, look in (
            (proofs, asked_proofs, partial(forked, copy, by_proofs, (asked_proofs,))),
            (tests, asked_tests, partial(forked, copy, by_tests, (filewise(tests, asked_tests),))),
        ):
            limit = 30 + 6 * sum(guards.seconds[name] for name in names)
            word, took = look(limit) if names else ("", 0.0)
            said.append(word)
            seconds += took
    left_out = len(known) - len(asked_tests)
    sizes = len(asked_proofs), len(asked_tests), left_out
    return Row(change.key, change.kind, change.before, change.after, said[0], said[1], *sizes, round(seconds, 1))


def rows_of(table: Path) -> list[Row]:
    """The rows that are known."""
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        numbers = {"proofs_tried": int, "tests_tried": int, "tests_left_out": int, "seconds": float}
        return [Row(**{name: numbers.get(name, str)(value) for name, value in row.items()}) for row in csv.DictReader(file)]


def append(table: Path, row: Row) -> None:
    """One more row; the first one writes the head."""
    with table.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Row)])
        if not file.tell():
            writer.writeheader()
        writer.writerow(asdict(row))


def run(copy: Path, table: Path, changes: Iterable[Change], proofs: Guards, tests: Guards) -> Iterator[Row]:
    """Rows of the changes that the table lacks, written one by one."""
    known = {row.key for row in rows_of(table)}
    for change in changes:
        if change.key not in known:
            row = surveyed(copy, change, proofs, tests)
            append(table, row)
            yield row
