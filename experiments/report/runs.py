"""Finished runs on disk: where they are, what they asked, with which config, and their tables."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from experiments.configs.base import ConfigError
from experiments.configs.questions.explanations import OwnQuestionConfig
from experiments.configs.targets import resolve
from experiments.machine.notes import MODELS
from experiments.machine.results import read_table
from experiments.questions import question
from experiments.questions.base import Question
from experiments.runs.record import BEGUN, Record, completed_runs, read_record

OWN = "own"  # the option of questions that users bring


class ReportError(Exception):
    """A report that cannot be made: says what was needed, what was found and what to do."""


@dataclass(frozen=True, eq=False)
class Run:
    """One finished run."""

    path: Path
    record: Record
    about: Mapping[str, Any]  # where it comes from: seed, versions, git state, question

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config, flat: dotted keys."""
        config = OmegaConf.to_container(OmegaConf.load(self.path / "config.yaml"))
        return dict(flat(config, ""))

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table that the run wrote, by name."""
        return {path.stem: read_table(path) for path in sorted(self.path.glob("*.csv"))}

    @cached_property
    def accuracies(self) -> Mapping[str, float]:
        """Accuracy on the test set, by model, where the run noted any."""
        path = self.path / MODELS
        return json.loads(path.read_text(encoding="utf-8"))["accuracy"] if path.exists() else {}

    @property
    def question(self) -> str:
        """The name of what was asked."""
        return self.about["question"]


def flat(config: Any, path: str) -> Iterable[tuple[str, Any]]:
    """Dotted keys and values; a list is one value, in print."""
    if isinstance(config, dict) and config:
        for key, value in config.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, str(config) if isinstance(config, (list, dict)) else config


def asked(run: Run) -> tuple[Question, str]:
    """The question of a run, for how its tables are read and drawn, and the question in words.

    Raises :class:`ReportError` for a question that is not there any more.
    """
    name = f"experiments.questions.{run.question}"
    if find_spec(name) is None:
        raise ReportError(
            f"'{run.path}' asked '{run.question}', which is no question here. Use the version that it ran with."
        )
    module = import_module(name)
    if run.question == OWN:
        return own(run)
    return module.QUESTION, module.__doc__.partition("\n")[0]


def own(run: Run) -> tuple[Question, str]:
    """A user's question, which the packages that the run trusted hold, and the first line of what it says of itself."""
    config: dict[str, Any] = OmegaConf.to_object(OmegaConf.load(run.path / "config.yaml").question)
    try:
        made = question(OwnQuestionConfig(**config))
        target = resolve(config["_target_"], config["trusted"], "question")
    except ConfigError as error:
        raise ReportError(f"'{run.path}' asked a question of its own, which is not found: {error}") from error
    return made, (target.__doc__ or target.__name__.replace("_", " ")).strip().partition("\n")[0]


def read_runs(paths: Iterable[Path]) -> tuple[list[Run], list[str]]:
    """All finished runs at or below the paths, each once, and a note on every other directory that began a run.

    Raises :class:`ReportError` for a path that is no directory, and where nothing is finished.
    """
    runs: dict[str, Run] = {}
    notes = []
    for path in paths:
        if not path.is_dir():
            raise ReportError(f"'{path}' is not a directory. Give that of a run or of a sweep, such as runs/sweeps/NAME.")
        complete = list(completed_runs(path))
        for directory in complete:
            about = json.loads((directory / BEGUN).read_text(encoding="utf-8"))
            run = Run(directory, read_record(directory), about)
            twin = runs.setdefault(run.record.key, run)
            if twin.path.resolve() != directory.resolve():
                notes.append(f"'{directory}' repeats '{twin.path}' (same config, code and versions) and was left out.")
        notes += [unfinished(begun.parent) for begun in sorted(path.rglob(BEGUN)) if begun.parent not in complete]
    if not runs:
        found = " ".join(notes) or "There is no run in it: a run leaves rows.csv, config.yaml and outcome.json."
        raise ReportError(f"Nothing to report in {', '.join(map(str, paths))}. {found}")
    return list(runs.values()), notes


def unfinished(directory: Path) -> str:
    """Why a directory's rows do not count."""
    record = read_record(directory)
    if record is None:
        return f"'{directory}' is unfinished: killed, or still running. Start its job or sweep again to complete it."
    return f"'{directory}' {record.outcome.value}: {' '.join(record.messages)}"
