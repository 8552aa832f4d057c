"""What only the site needs: executed notebooks, pages of the repository's root, and the source files that pages name."""

import logging
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.utils import get_relative_url
from nbconvert import MarkdownExporter
from notebooks import NOTEBOOKS, ROOT, executed
from traitlets.config import Config

AT_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md")
SOURCE = re.compile(r"`((?:dtd|experiments|proofs|conf|tests|hydra_plugins)/[\w./]+\.(?:py|yaml))`")
NOTEBOOK = re.compile(r"\]\(((?:\.\./)?notebooks/\w+)\.ipynb\)")
FETCHED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\"'> ]*")
JOINED = Config({"CoalesceStreamsPreprocessor": {"enabled": True}})  # lines that a cell prints are one output
LOG = logging.getLogger("mkdocs.plugins.dtd")
LANGUAGES = {".py": "python", ".yaml": "yaml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is no Markdown page in ``docs``."""
    for name in AT_ROOT:
        files.append(File.generated(config, name, content=(ROOT / name).read_text("utf-8").replace("](docs/", "](")))
    for path in NOTEBOOKS:
        for name, content in rendered(path).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    for path in named_sources(file for file in files if file.src_uri.endswith(".md")):
        files.append(File.generated(config, page_of(path), content=source(path), inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def rendered(path: Path) -> dict[str, str | bytes]:
    """An executed notebook as a page and its pictures."""
    body, resources = MarkdownExporter(config=JOINED).from_notebook_node(executed(path), {"unique_key": path.stem})
    page = f"{body}\n[This notebook]({path.name})\n"
    return {f"{path.stem}.md": page, **{Path(name).name: data for name, data in resources.get("outputs", {}).items()}}


def named_sources(pages: Any) -> list[str]:
    """The files of the repository that pages name in code, once each."""
    found = {name for page in pages for name in SOURCE.findall(page.content_string)}
    return sorted(name for name in found if (ROOT / name).is_file())


def page_of(path: str) -> str:
    """Where the site shows a source file."""
    return f"source/{path}.md"


def source(path: str) -> str:
    """A source file as a page that is left out of the search."""
    text = (ROOT / path).read_text("utf-8")
    fence = "`" * 4
    head = f"---\nsearch:\n  exclude: true\ntitle: {path}\n---\n\n# `{path}`\n"
    return f"{head}\n{fence}{LANGUAGES[Path(path).suffix]}\n{text}{fence}\n"


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Source files that a page names become links, and so do notebooks."""
    here = page.file

    def link(match: re.Match) -> str:
        target = files.get_file_from_path(page_of(match[1]))
        if target is None or here.src_uri.startswith("source/"):
            return match[0]
        return f"[{match[0]}]({get_relative_url(target.src_uri, here.src_uri)})"

    return SOURCE.sub(link, markdown if here.src_uri.startswith("notebooks/") else NOTEBOOK.sub(r"](\1.md)", markdown))


def on_post_page(output: str, page: Any, config: MkDocsConfig) -> str:
    """Pages read without a network: whatever a browser would fetch from elsewhere is a warning, which is an error here."""
    for found in FETCHED.findall(output):
        LOG.warning("%s fetches from elsewhere: %s", page.file.src_uri, found)
    return output
