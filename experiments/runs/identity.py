"""What makes two jobs the same: their resolved config, the code that computes, and the versions that numbers depend on."""

import hashlib
import json
from enum import Enum
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.configs.base import require
from experiments.runs.provenance import installed

AROUND = ("hydra", "quiet", "figures", "sweep", "objective", "at_most")  # keys that no row depends on
CODE = ("dtd", "experiments")
SHOWN_ONLY = tuple(f"experiments/{name}" for name in ("figures/", "report/", "runs/", "machine/console.py"))
COMPUTES = ("experiments/runs/job.py", "experiments/runs/checks.py")  # all the same: what a job starts from
VERSIONS = ("torch", "numpy", "pandas", "scipy", "scikit-learn", "torchvision", "timm", "zennit", "captum", "quantus")
LENGTH = 16  # hexadecimal digits of a key


def job_name(config: DictConfig) -> str:
    """The directory of a sweep's job: a hash of the resolved config without the keys of ``AROUND``.

    Files that a config names by path count by their path alone.
    """
    return digest(json.dumps(computing(config), sort_keys=True))


def job_key(config: DictConfig) -> str:
    """What makes an earlier job this very one: its name, the code that computes, and ``VERSIONS``.

    Code is the sources of ``dtd``, of ``experiments`` without what only shows, and of the packages under ``trusted``.
    """
    packages = (*CODE, *config.get("trusted", ()))
    what = {"name": job_name(config), "code": {name: sources(name) for name in packages}, "versions": versions()}
    return digest(json.dumps(what, sort_keys=True))


def sweep_name(config: DictConfig) -> str:
    """The directory of a sweep: the name it was given, or one that the same overrides give again."""
    if config.sweep is not None:
        return config.sweep
    overrides = sorted(o for o in config.hydra.overrides.task if o.lstrip("+").split("=")[0] not in AROUND)
    return f"{config.hydra.runtime.choices.question}-{digest(json.dumps(overrides))[:8]}"


def check_sweep_name(name: str | None) -> None:
    """Raises :class:`ConfigError` for a sweep's name that is no place below the folder of sweeps."""
    if name is None:
        return
    place = PurePath(name)
    below = bool(place.parts) and not place.is_absolute() and ".." not in place.parts and "\0" not in name
    require(below, "sweep", "a name below runs/sweeps (another folder: hydra.sweep.dir=FOLDER)", f"'{name}'")


def register_names() -> None:
    """Make ``${sweep_name:}`` known to config files."""
    OmegaConf.register_new_resolver("sweep_name", lambda *, _root_: sweep_name(_root_), replace=True)


def computing(config: DictConfig) -> dict[str, Any]:
    """The resolved config without what is around a job."""
    return {key: plain(config[key]) for key in config if key not in AROUND}


def plain(value: Any) -> Any:
    """A config value as JSON can hold it."""
    if OmegaConf.is_config(value):
        return OmegaConf.to_container(value, resolve=True, enum_to_str=True)
    return value.name if isinstance(value, Enum) else value


@cache
def versions() -> dict[str, str | None]:
    """The versions of the packages that compute."""
    return {name: installed(name) for name in VERSIONS}


@cache
def sources(package: str) -> str:
    """A digest of a package's Python files, or of a module's one file; empty where no file has that name."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return ""
    if spec is None or not (spec.has_location or spec.submodule_search_locations):
        return ""
    if not spec.submodule_search_locations:
        return digest(Path(spec.origin).read_text(encoding="utf-8"))
    roots = [Path(root) for root in spec.submodule_search_locations]
    files = [(path.relative_to(root.parent).as_posix(), path) for root in roots for path in sorted(root.rglob("*.py"))]
    kept = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files if computes(name)}
    return digest(json.dumps(kept))


def computes(name: str) -> bool:
    """Whether rows may depend on a source file, which is named from its package on."""
    return name in COMPUTES or not name.startswith(SHOWN_ONLY)


def digest(text: str) -> str:
    """The first hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
