"""README and docs name what there is: modules, members of dtd, files and figures."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import dtd

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMPORT = re.compile(r"^(?:from (dtd[\w.]*) import ([\w, ]+)|import (dtd[\w.]*))", re.MULTILINE)
MEMBER = re.compile(r"\bdtd\.([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\b(?!/)")
LINK = re.compile(r"\]\((?!http|#)([^)#]+)")
PLACEHOLDER = re.compile(r"NAME|concentration|mine")  # files that a page tells its reader to write

on_every_page = pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES])


@on_every_page
def test_imports_can_be_made(page):
    for module, names, whole in IMPORT.findall(page.read_text(encoding="utf-8")):
        found = import_module(module or whole)
        assert [name for name in re.split(r"[, ]+", names) if name and not hasattr(found, name)] == [], module


@on_every_page
def test_members_of_dtd_exist(page):
    for first, second in MEMBER.findall(page.read_text(encoding="utf-8")):
        assert hasattr(dtd, first) or (ROOT / "dtd" / first).exists() or (ROOT / "dtd" / f"{first}.py").exists(), first
        if hasattr(dtd, first) and second and not (ROOT / "dtd" / first / f"{second}.py").exists():
            assert hasattr(getattr(dtd, first), second), f"dtd.{first}.{second}"


@on_every_page
def test_files_and_figures_exist(page):
    text = page.read_text(encoding="utf-8")
    named = [path for path in re.findall(r"`((?:dtd|experiments|proofs|tests|conf)/[\w./]+\.\w+)`", text)]
    assert [path for path in named if not PLACEHOLDER.search(path) and not (ROOT / path).exists()] == []
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
