"""Notebooks are kept without outputs, and executed with this checkout where their outputs are needed."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SECONDS = 600  # of one cell, on a machine that does other things, too
COLOUR = ("FORCE_COLOR", "CLICOLOR_FORCE")  # escape sequences have no place on a page


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with its outputs; an error in it is raised."""
    notebook = nbformat.read(path, as_version=4)
    local = Config({"KernelManager": {"transport": "ipc"}})  # sockets of this directory, and none of the network
    client = NotebookClient(notebook, timeout=SECONDS, startup_timeout=SECONDS, config=local)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    client.execute(env={**{name: value for name, value in os.environ.items() if name not in COLOUR}, "PYTHONPATH": paths})
    return notebook
