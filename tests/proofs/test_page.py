"""The page of rules says about rules and proofs what the catalogue and the proofs say."""

import re
from pathlib import Path

import pytest

from dtd.plans.rules import catalogue
from experiments.figures.names import NAMES, plain
from proofs.page import PAGES, extent, is_general, parts_of, written
from proofs.registry import PROOFS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
MENTION = re.compile(r"(?:python -m proofs|proofs?) `?(\w+)`?")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fresh(name):
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    assert written(text, parts_of(page)) == text, f"run python -m proofs --page {name}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_that_cites_a_proof_of_limited_size_says_the_size(page):
    """Within the paragraph or the row of a table that cites it."""
    for paragraph in re.split(r"\n\n|\n(?=[|*])", page.read_text(encoding="utf-8")):
        for name in set(MENTION.findall(paragraph)) & PROOFS.keys():
            size = extent(PROOFS[name])
            assert is_general(size) or size in " ".join(paragraph.split()), f"{name} is shown for {size}: say so"


def test_a_stale_part_is_written_anew_and_the_rest_is_left():
    text = PAGE.read_text(encoding="utf-8")
    stale = text.replace("| `gamma` | LRP-γ |", "| `gamma` | LRP-G |").replace(f"{len(PROOFS)} proofs", "7 proofs")
    assert stale != text and written(stale) == text


def test_a_page_without_marks_is_refused():
    for part in PAGES["docs/rules.md"]:
        with pytest.raises(ValueError, match=f"one <!-- {part} -->"):
            written(PAGE.read_text(encoding="utf-8").replace(f"<!-- {part} -->", ""))


def test_every_proof_says_for_what_sizes_it_is_shown():
    for name, proof in PROOFS.items():
        extents = {case.extent for case in proof.cases() if not case.point}
        assert extents and "" not in extents, name


def test_figures_and_proofs_take_names_and_sources_from_the_catalogue():
    for name, rule in catalogue.items():
        assert name in NAMES and plain(name) == rule.alias.replace("`", "").replace("^B", "ᴮ")
        assert PROOFS[name].reference == rule.reference
