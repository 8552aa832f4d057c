"""Where numbers come from: versions, machine, seed, overrides, and the state of the repository."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import dtd

PACKAGES = ("dtd", "torch", "numpy", "pandas", "scipy", "scikit-learn", "hydra-core", "matplotlib")
OPTIONAL = ("torchvision", "timm", "zennit", "captum", "quantus", "optuna", "joblib", "submitit")


def provenance(key: str, seed: int, overrides: Sequence[str]) -> dict[str, Any]:
    """What a run directory says about its origin; ``git`` is there only where dtd runs from its repository."""
    state = git_state(Path(dtd.__file__))
    return {
        "key": key,
        "overrides": list(overrides),
        "seed": seed,
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()} | {name: installed(name) for name in (*PACKAGES, *OPTIONAL)},
        **({} if state is None else {"git": state}),
    }


@cache
def installed(name: str) -> str | None:
    """The version of an installed package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def git_state(file: Path) -> dict[str, Any] | None:
    """The commit of the repository that tracks a file, and whether tracked files differ from it (``dirty``).

    None for a file that no repository tracks, such as one of an installed package, wherever that lies; and without git.
    """
    command = ["git", "-C", str(file.resolve().parent)]
    tracked = [*command, "ls-files", "--error-unmatch", file.name]
    status = [*command, "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        subprocess.run(tracked, capture_output=True, check=True, env=environment)
        lines = subprocess.run(status, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    about = dict(line.removeprefix("# ").split(" ", 1) for line in lines if line.startswith("# "))
    return {"commit": about["branch.oid"], "dirty": any(not line.startswith("#") for line in lines)}
