"""The page of rules says about rules and proofs what the catalogue and the proofs say."""

from pathlib import Path

import pytest

from dtd.plans.rules import catalogue
from experiments.figures.names import NAMES, plain
from proofs.page import PARTS, written
from proofs.registry import PROOFS

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_fresh():
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, "run python -m proofs --page docs/rules.md"


def test_a_stale_part_is_written_anew_and_the_rest_is_left():
    text = PAGE.read_text(encoding="utf-8")
    stale = text.replace("| `gamma` | LRP-γ |", "| `gamma` | LRP-G |").replace(f"{len(PROOFS)} proofs", "7 proofs")
    assert stale != text and written(stale) == text


def test_a_page_without_marks_is_refused():
    for part in PARTS:
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
