"""The tables of docs/conventions.md, so that tests can compare its numbers with measured ones."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "conventions.md"
EQUAL = 1e-9


def rows() -> dict[str, list[str]]:
    """First cell of each table row (without code marks) -> its other cells."""
    lines = [line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.replace("`", ""): rest for first, *rest in cells}


def shown(distance: float | None) -> str:
    """How the tables write a distance; a dash where there is none."""
    return "–" if distance is None else "equal" if distance <= EQUAL else f"{distance:.2g}"
