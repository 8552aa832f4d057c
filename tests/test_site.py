"""The documentation site: every page and name is reachable, links and anchors lead somewhere, examples and notebooks run."""

import doctest
import json
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

import dtd
from tests.test_doctests import FLAGS, PUBLIC

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
ENTRY = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def navigation(entries: Any) -> list[str]:
    """All pages of ``nav`` in ``mkdocs.yml``, however deep."""
    if isinstance(entries, str):
        return [entries]
    values = entries.values() if isinstance(entries, dict) else entries
    return [page for value in values for page in navigation(value)]


def test_every_page_is_in_the_navigation_once():
    listed = navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    pages = {path.relative_to(DOCS).as_posix() for path in PAGES}
    pages |= {path.relative_to(DOCS).with_suffix(".md").as_posix() for path in NOTEBOOKS} | {
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    }
    assert sorted(listed) == sorted(pages)


def test_every_public_name_is_in_the_reference_once():
    shown = re.findall(
        r"^::: (dtd[\w.]*)$", "\n".join(path.read_text("utf-8") for path in DOCS.glob("api/*.md")), re.MULTILINE
    )
    names = [f"{room}.{name}" for room, (_, members) in PUBLIC.items() for name in members if f"dtd.{name}" != "dtd.rules"]
    assert sorted(shown) == sorted(names)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, by GitHub and by the site alike."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()) for heading in headings}


LINKING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *PAGES]


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in LINKING])
def test_links_lead_to_files_and_anchors(page):
    for target, anchor in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        path = (page.parent / target) if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_every_picture_is_in_the_gallery_with_its_command_and_code():
    text = (DOCS / "gallery.md").read_text("utf-8")
    pictures = []
    for title, entry in ENTRY.findall(text):
        pictures += re.findall(r"!\[[^]]*\]\((\w+\.png)\)", entry)
        (command,) = re.findall(r"^    python -m experiments (.+)$", entry, re.MULTILINE)
        preset = re.findall(r"experiment=(\w+)", command)
        question = re.findall(r"question=(\w+)", command)
        files = [f"experiment/{name}" for name in preset] + [f"question/{name}" for name in question]
        assert files and all((ROOT / "conf" / f"{file}.yaml").exists() for file in files), title
        (code,) = re.findall(r"Made by `([\w/.]+)`", entry)
        assert (ROOT / code).exists(), title
    with_code = set(re.findall(r"(\w+\.png)\)", (DOCS / "plot.md").read_text("utf-8")))  # made by the code of that page
    assert sorted(pictures) == sorted({path.name for path in DOCS.glob("*.png")} - with_code)


WITH_EXAMPLES = [page for page in PAGES if ">>> " in page.read_text("utf-8")]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in WITH_EXAMPLES])
def test_examples_of_pages_print_what_they_say(page):
    blocks = re.findall(r"^```pycon\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test)
    assert result.attempted and not result.failed


on_every_notebook = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in NOTEBOOKS])


def test_there_are_five_notebooks():
    assert len(NOTEBOOKS) == 5


@on_every_notebook
def test_notebooks_are_kept_without_outputs(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code and not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert cells[0]["source"][0].startswith("# ")


@on_every_notebook
def test_notebooks_run(path):
    pytest.importorskip("nbclient")
    notebook = import_module("docs.site.notebooks").executed(path)
    assert any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.skipif(find_spec("griffe") is None, reason="needs the extra docs")
def test_examples_in_docstrings_are_shown_as_code_and_roles_as_links():
    as_markdown = import_module("docs.site.docstrings").as_markdown
    text = as_markdown("From :func:`dtd.trace`, by :meth:`dtd.Plan.explicit`.\n\n>>> 1 + 1\n2\n\nMore.\n")
    assert as_markdown("A balance. # shape: (B, *in) each\n") == "A balance. Shape: `(B, *in) each`.\n"
    assert text == "From [`dtd.trace`][dtd.trace], by `dtd.Plan.explicit`.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore.\n"
    for name in dtd.__all__:
        shown = as_markdown(getattr(dtd, name).__doc__ or "")
        assert ">>>" not in re.sub(r"```pycon\n.*?```", "", shown, flags=re.DOTALL) and not re.search(r":\w+:`", shown), name
