"""From the overrides of a sweep's jobs to their records, through one of Hydra's launchers."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict, read_write

from experiments.machine.console import progress
from experiments.runs.identity import job_key, job_name
from experiments.runs.objective import objective
from experiments.runs.record import Record, read_record
from experiments.runs.settle import Planned, settle
from experiments.runs.tally import Tally
from experiments.runs.watch import watched


@dataclass(frozen=True, eq=False)
class Sweep:
    """What Hydra gives to the launcher of a sweep, and the config of the ``inner`` launcher that runs its jobs."""

    context: HydraContext
    task: TaskFunction
    config: DictConfig
    inner: DictConfig


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    inner: DictConfig,
    job_overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Every job's objective, read or computed, for the sweeper; the records go to the tally.

    ``inner`` is the config of the launcher that runs the jobs, and ``first`` is the number of the first job.
    """
    sweep = Sweep(context, task, config, inner)
    setup_globals()
    steps = progress(job_overrides, "composing configs")
    jobs = [planned(sweep, number, overrides) for number, overrides in enumerate(steps, first)]
    tallies = [callback for callback in sweep.context.callbacks.callbacks if isinstance(callback, Tally)]
    try:
        with watched(jobs, sweep.config.quiet):
            records = settle(jobs, partial(start, sweep))
    except KeyboardInterrupt:
        ended = {job.key: found for job in jobs if (found := read_record(job.out)) and found.key == job.key}
        for tally in tallies:
            tally.add([job for job in jobs if job.key in ended], ended)
            tally.stopped(sweep.config, len(jobs) - len({job.key for job in jobs if job.key in ended}))
        raise
    for tally in tallies:
        tally.add(jobs, records)
    return [returned(job, records[job.key]) for job in jobs]


def planned(sweep: Sweep, number: int, overrides: Sequence[str]) -> Planned:
    """Where a job belongs, and what must be found there for it to be done."""
    config = sweep.context.config_loader.load_sweep_config(sweep.config, list(overrides))
    hydra = HydraConfig.instance()
    before = hydra.cfg
    hydra.set_config(config)  # as in the job itself, so that interpolations mean the same
    try:
        key, name = job_key(config), job_name(config)
    finally:
        hydra.cfg = before
    out = Path(sweep.config.hydra.sweep.dir) / name
    return Planned(number, tuple(overrides), key, out, tuple(config.objective), dict(config.at_most))


def start(sweep: Sweep, jobs: Sequence[Planned]) -> list[Record]:
    """Run the jobs by the inner launcher; raises what it raises when it loses a process."""
    config = deepcopy(sweep.config)
    with read_write(config), open_dict(config):
        config.hydra.launcher = sweep.inner
    inner = Plugins.instance().instantiate_launcher(sweep.context, sweep.task, config)
    where = f"hydra.sweep.dir={quoted(config.hydra.sweep.dir)}"
    returns = inner.launch([[*job.overrides, where, f"hydra.sweep.subdir={job.out.name}"] for job in jobs], jobs[0].number)
    return [each.return_value for each in returns]


def quoted(value: str) -> str:
    """A value that Hydra's grammar reads as it is."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def returned(job: Planned, record: Record) -> JobReturn:
    """What a sweeper gets of a job."""
    value = objective(record.measures, job.wanted, job.limits) if record.outcome.complete else None
    return JobReturn(overrides=list(job.overrides), status=JobStatus.COMPLETED, _return_value=value)
