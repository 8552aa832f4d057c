"""The installed commands: the packages of this distribution, whatever the folder that they are started in holds.

``python -m experiments`` takes a package of that name in the current directory first. A command does not: the directory
comes last, where a question or a model of one's own is still found by name.
"""

import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("hydra", "matplotlib", "rich", "sympy", "jinja2")
OURS = Path(__file__).parents[2]


def experiments() -> None:
    """The command ``dtd-experiments``."""
    run("experiments")


def report() -> None:
    """The command ``dtd-report``."""
    run("experiments.report")


def proofs() -> None:
    """The command ``dtd-proofs``."""
    run("proofs")


def run(module: str) -> None:
    """Run a module of this distribution as the main program; without the extra it ends with a sentence."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(
            f'This command needs the extra "experiments" ({", ".join(missing)} missing): pip install "dtd[experiments]"'
        )
    sys.path.append(os.getcwd())
    found = Path(str(find_spec(module.split(".")[0]).origin)).parents[1]  # type: ignore[union-attr]
    if found != OURS:
        sys.exit(f"This command runs '{module}' of {OURS}, but that of {found} comes first: take {found} out of PYTHONPATH.")
    runpy.run_module(module, run_name="__main__", alter_sys=True)
