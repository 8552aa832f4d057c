"""What a table of changes says: who noticed, kind by kind and room by room, and what nobody noticed."""

from collections.abc import Iterable

from proofs.mutation.survey import Row

COLUMNS = ("proofs and tests", "tests alone", "proofs alone", "nobody")


def noticed_by(row: Row) -> str:
    """Which column a row counts in."""
    return {(True, True): COLUMNS[0], (False, True): COLUMNS[1], (True, False): COLUMNS[2], (False, False): COLUMNS[3]}[
        bool(row.proof), bool(row.test)
    ]


def room(row: Row) -> str:
    """The file or folder of ``dtd/`` that was changed."""
    return row.key.split(":")[0].split("/")[1].removesuffix(".py")


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows each column has."""
    found = dict.fromkeys(COLUMNS, 0)
    for row in rows:
        found[noticed_by(row)] += 1
    return found


def table(rows: list[Row]) -> str:
    """A table in Markdown, and the changes that nobody noticed."""
    lines = [f"| | changes | {' | '.join(COLUMNS)} |", "|---|---|---|---|---|---|"]
    groups = {"all": rows}
    for part in (room, lambda row: row.kind):
        for name in sorted({part(row) for row in rows}):
            groups[name] = [row for row in rows if part(row) == name]
    for name, group in groups.items():
        lines.append(f"| {name} | {len(group)} | {' | '.join(map(str, counts(group).values()))} |")
    lines.append("")
    for row in sorted(rows, key=lambda row: row.key):
        if noticed_by(row) == COLUMNS[3]:
            place = ":".join(row.key.split(":")[:2])
            lines.append(f"- `{place}`: `{row.before}` becomes `{row.after}`")
    return "\n".join(lines)
