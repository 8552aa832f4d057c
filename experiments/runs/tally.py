"""The beginning and the end of a run or a sweep, as Hydra sees them: can it write, and how did it go?"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

from experiments.configs.base import ConfigError
from experiments.machine.console import console
from experiments.machine.results import OutputError, require_writable, save_table
from experiments.runs.identity import check_sweep_name
from experiments.runs.record import Outcome, Record
from experiments.runs.settle import Planned

RESUMING = "hydra_plugins.dtd_launcher.Resuming"
REFUSED, FAILED = 2, 1  # exit statuses
NAMED = 10  # failures that the summary names; summary.csv has all of them
ENDS = ("done", "problems", "reused", "refused", "failed")


class Tally(Callback):
    """Counts how the jobs of a sweep ended; the sweep's exit status is 1 unless every job's rows are there and right."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Planned, Record]] = []
        self.start = perf_counter()

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse a directory that nothing can be written to."""
        HydraConfig.instance().set_config(config)  # which the directory's name may need
        with exit_unless_written(REFUSED):
            require_writable(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse such a directory too, and put the launcher that resumes around the launcher of the sweep."""
        with exit_unless_written(REFUSED):
            check_sweep_name(config.sweep)
            require_writable(Path(config.hydra.sweep.dir))
        with read_write(config), open_dict(config):
            config.hydra.launcher = {"_target_": RESUMING, "_recursive_": False, "inner": config.hydra.launcher}
        if not config.quiet:
            console.print(f"Sweep: {config.hydra.sweep.dir}; checking the config of every job", soft_wrap=True, markup=False)

    def add(self, jobs: Sequence[Planned], records: Mapping[str, Record]) -> None:
        """Jobs that ended."""
        self.jobs += [(job, records[job.key]) for job in jobs]

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Write ``summary.csv`` with a line for each job, say how it went, and exit with the sweep's status."""
        if self.summed(config):
            sys.exit(FAILED)

    def stopped(self, config: DictConfig, left: int) -> None:
        """The summary of a sweep that was stopped, with so many jobs left."""
        self.summed(config)
        if not config.quiet:
            console.print(f"{left} jobs are left; the same command goes on with them.")

    def summed(self, config: DictConfig) -> bool:
        """Write ``summary.csv`` and say how it went; whether some job is not done."""
        directory = Path(config.hydra.sweep.dir)
        wrong = [(job, record) for job, record in self.jobs if record.outcome is not Outcome.done]
        if not config.quiet:
            console.print(counted(self.jobs, perf_counter() - self.start))
        for job, record in wrong[:NAMED]:
            console.print(f"[bold red]{record.outcome.value}:[/] ", end="")
            told = f"{' '.join(job.overrides)}: {'; '.join(record.messages[:1])} (log: {job.out}/job.log)"
            console.print(told, soft_wrap=True, markup=False)
        if len(wrong) > NAMED:
            console.print(f"… and {len(wrong) - NAMED} more, in {directory}/summary.csv", soft_wrap=True, markup=False)
        if not config.quiet:
            console.print(f"Results: {directory}", soft_wrap=True, markup=False)
        with exit_unless_written(FAILED):
            save_table(directory / "summary.csv", pd.DataFrame([line(*job) for job in self.jobs]))
        return bool(wrong)


@contextmanager
def exit_unless_written(status: int) -> Iterator[None]:
    """Say what is wrong with a directory, and exit: of an exception in a callback Hydra only warns."""
    try:
        yield
    except (ConfigError, OutputError) as error:
        console.print("[bold red]Refused:[/] ", end="")
        console.print(str(error), soft_wrap=True, markup=False)
        sys.exit(status)


def ending(record: Record) -> str:
    """How a job counts."""
    return "reused" if record.reused and record.outcome is Outcome.done else record.outcome.value


def counted(jobs: Sequence[tuple[Planned, Record]], seconds: float) -> str:
    """The summary in one line."""
    counts = Counter(ending(record) for _, record in jobs)
    return f"{len(jobs)} jobs in {seconds:.1f} s: " + ", ".join(f"{counts[end]} {end}" for end in ENDS if counts[end])


def line(job: Planned, record: Record) -> dict[str, Any]:
    """The job's line in the summary."""
    return {
        "job": job.number,
        "directory": job.out.name,
        "outcome": record.outcome.value,
        "reused": record.reused,
        "seconds": record.seconds,
        "overrides": " ".join(job.overrides),
        "message": "; ".join(record.messages),
        **record.measures,
    }
