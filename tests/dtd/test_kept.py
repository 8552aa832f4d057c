"""The table of docs/transformers.md is what the presets keep back."""

from pathlib import Path

from tests.kept import rows


def test_the_table_is_fresh():
    page = (Path(__file__).parents[2] / "docs" / "transformers.md").read_text(encoding="utf-8")
    for row in rows():
        assert row in page, "run python -m tests.kept"
