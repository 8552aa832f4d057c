"""What does a sweep cost beyond what its jobs compute?

The same jobs are computed three ways: one after the other in this process, with nothing around them (``bare``); and as
sweeps, by the command that a user types, under each launcher.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import pandas as pd
from hydra import compose

from experiments.configs.base import require
from experiments.configs.questions.cost import OverheadConfig
from experiments.configs.run import Config, typed
from experiments.figures.summary import Measure, Summary, Tables
from experiments.figures.terminal.overhead import show_overhead
from experiments.machine.conditions import load, seeded, threads
from experiments.machine.console import progress
from experiments.questions import question
from experiments.questions.base import Question

BARE = "bare"
PROCESSES = {"basic": 1, "joblib": os.cpu_count()}


@dataclass(frozen=True)
class Took:
    """Seconds by the clock and of the processors, for some jobs."""

    jobs: int
    seconds: float
    cpu: float


def rows(config: Config) -> pd.DataFrame:
    """One row for each way: jobs, processes, seconds, processor seconds, and seconds a job beyond the bare computation."""
    asked = config.asked(OverheadConfig)
    conditions = {"cores": os.cpu_count(), "load": load()}
    bare = bare_jobs(typed(compose("config", overrides=asked.overrides)), asked.bare)
    found = [{"launcher": BARE, "processes": 1, **asdict(bare)}]
    for launcher in progress(asked.launchers, "sweeping"):
        found.append({"launcher": launcher, "processes": PROCESSES[launcher], **asdict(sweep_jobs(launcher, asked))})
    made = pd.DataFrame(found).assign(**conditions)
    return made.assign(overhead=made.seconds / made.jobs - bare.seconds / bare.jobs / made.processes)


def bare_jobs(job: Config, jobs: int) -> Took:
    """Jobs without anything around them; a first one, which trains the model and warms up, does not count."""
    asked = question(job.question)
    with threads(job.threads), seeded(job.seed):
        list(asked.tables(job))
        start = perf_counter(), process_time()
        for seed in progress(range(jobs), "computing without a sweep"):
            list(asked.tables(replace(job, seed=seed)))
        return Took(jobs, perf_counter() - start[0], process_time() - start[1])


def sweep_jobs(launcher: str, asked: OverheadConfig) -> Took:
    """A sweep, from the command to its end, start of Python and imports included."""
    with TemporaryDirectory() as where:
        sweep = [f"seed=range({asked.jobs})", f"hydra.sweep.dir={where}", f"hydra/launcher={launcher}", "quiet=true"]
        command = [sys.executable, "-m", "experiments", "-m", *asked.overrides, *sweep]
        start = perf_counter(), children()
        subprocess.run(command, check=True, capture_output=True, text=True)
        took = Took(asked.jobs, perf_counter() - start[0], children() - start[1])
        found = len(list(Path(where).rglob("rows.csv")))
    if found != asked.jobs:
        raise RuntimeError(f"A sweep of {asked.jobs} jobs left rows of {found}.")
    return took


def children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def check(config: Config) -> None:
    """Raises :class:`ConfigError` where the question does not fit."""
    asked = config.asked(OverheadConfig)
    require(asked.jobs >= 1, "question.jobs", "at least 1", asked.jobs)
    require(asked.bare >= 1, "question.bare", "at least 1", asked.bare)
    for launcher in asked.launchers:
        require(launcher in PROCESSES, "question.launchers", f"among {', '.join(PROCESSES)}", launcher)


def tables(config: Config) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows."""
    yield "rows", rows(config)


def figures(tables: Tables) -> dict:
    """There are none, because the table says it all."""
    return {}


SUMMARIES = {
    "rows": Summary(
        within=(),
        compared=("launcher", "processes"),
        measures={
            "jobs": Measure("jobs"),
            "seconds": Measure("seconds", "low"),
            "cpu": Measure("processor seconds", "low"),
            "overhead": Measure("seconds a job beyond the computation", "low"),
        },
    )
}
QUESTION = Question(check, tables, show_overhead, figures, summaries=SUMMARIES)
