"""Compute the jobs of a sweep that nobody has computed, whatever happens to some of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep

from filelock import Timeout

from experiments.runs import record as on_disk
from experiments.runs.record import Outcome, Record, finished, lock, locked, read_record, write_record

CHANGED = (
    "The code or a package changed after the sweep had started. Start it again: jobs of the old code are computed anew."
)
WAIT = 1.0  # seconds between looks at jobs that other sweeps compute


@dataclass(frozen=True)
class Planned:
    """A job before it runs: where it belongs and what a sweeper wants to know of it."""

    number: int
    overrides: tuple[str, ...]
    key: str
    out: Path
    wanted: tuple[str, ...] = ()  # measures
    limits: Mapping[str, float] | None = None


Start = Callable[[Sequence[Planned]], Sequence[Record]]


def settle(jobs: Sequence[Planned], start: Start) -> dict[str, Record]:
    """A record for every key. ``start`` computes jobs and may raise when one of them takes its process down.

    What is complete is read, what other sweeps hold is left to them while there is anything else to do, and only what
    remains is started.
    """
    records: dict[str, Record] = {}
    pending = {job.key: job for job in jobs}
    while pending:
        records |= {key: found for key, job in pending.items() if (found := finished(job.out, key))}
        free = [job for key, job in pending.items() if key not in records and forgotten(job)]
        if free:
            records |= started(free, start)
        pending = {key: job for key, job in pending.items() if key not in records}
        if pending and not free:
            sleep(WAIT)
    return records


def forgotten(job: Planned) -> bool:
    """Whether the job is free to be computed; then, what an earlier failure left of it no longer speaks."""
    if not job.out.exists():
        return True
    try:
        with lock(job.out):
            if finished(job.out, job.key):
                return False
            for name in (on_disk.FILE, on_disk.BEGUN):
                (job.out / name).unlink(missing_ok=True)
    except Timeout:
        return False
    return True


def started(jobs: Sequence[Planned], start: Start) -> dict[str, Record]:
    """The records of the jobs that ended; those that died with their process are tried once more, each alone."""
    try:
        return computed(jobs, start)
    except Exception:
        ended = {
            job.key: replace(record, reused=False)
            for job in jobs
            if (record := read_record(job.out)) and record.key == job.key
        }
        died = [job for job in jobs if job.key not in ended and (job.out / on_disk.BEGUN).exists() and not locked(job.out)]
        if not ended and not died:
            raise  # the launcher itself does not work
    for job in died:
        ended |= once_more(job, start)
    return ended


def computed(jobs: Sequence[Planned], start: Start) -> dict[str, Record]:
    """The records of jobs that nobody else computes; one of other code than was planned is a failure."""
    pairs = [(job, record) for job, record in zip(jobs, start(jobs), strict=True) if record.outcome is not Outcome.busy]
    return {
        job.key: record if record.key == job.key else Record(job.key, Outcome.failed, (CHANGED,)) for job, record in pairs
    }


def once_more(job: Planned, start: Start) -> dict[str, Record]:
    """The job alone; its process dying again is its failure."""
    try:
        return computed([job], start)
    except Exception as error:
        why = f"Its process died twice, which happens when memory runs out or a library crashes: {error}"
        record = Record(job.key, Outcome.failed, (why,))
        write_record(job.out, record)
        return {job.key: record}
