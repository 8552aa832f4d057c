"""Sweeps in this process, of a question that costs nothing."""

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from experiments import __main__ as entry
from experiments.configs.base import ConfigError
from experiments.configs.run import Config
from experiments.figures.summary import Tables
from experiments.questions.base import Question
from experiments.runs import checks, job
from experiments.runs.identity import register_names
from tests.experiments.conftest import CONF


class Probe:
    """A question whose rows name the seed; what else it does with a seed, a test decides."""

    def __init__(self):
        self.computed: list[int] = []
        self.fate: dict[int, Callable[[], None]] = {}

    def tables(self, config: Config):
        self.computed.append(config.seed)
        self.fate.get(config.seed, lambda: None)()
        yield "rows", pd.DataFrame({"seed": [config.seed], "value": [config.seed / 3]})

    def problems(self, tables: Tables) -> list[str]:
        return ["the value is wrong"] if (tables["rows"].seed == 9).any() else []

    def question(self) -> Question:
        measures = {"value": lambda tables: tables["rows"].value.max(), "seed": lambda tables: tables["rows"].seed.max()}
        return Question(self.check, self.tables, self.show, lambda tables: {}, self.problems, measures)

    def check(self, config: Config) -> None:
        if config.seed == 8:
            raise ConfigError("'seed' must not be 8; found 8.")

    def show(self, tables: Tables, console) -> None:
        console.print(f"the value of seed {tables['rows'].seed[0]}")


@pytest.fixture
def probe(monkeypatch) -> Probe:
    made = Probe()
    for module in (job, checks):
        monkeypatch.setattr(module, "question", lambda config: made.question())
    return made


@pytest.fixture
def command(probe, tmp_path, monkeypatch, composed):
    """Run ``python -m experiments ARGUMENTS`` in this process and in an empty directory; the exit status."""
    monkeypatch.chdir(tmp_path)
    register_names()

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["experiments", "--config-path", str(CONF), *arguments])
        try:
            entry.main()
        except SystemExit as ended:
            return ended.code or 0
        return 0

    return run


def rows(directory: Path) -> pd.DataFrame:
    """The rows of every complete run below a directory."""
    return pd.concat([pd.read_csv(path.parent / "rows.csv") for path in sorted(directory.rglob("outcome.json"))])
