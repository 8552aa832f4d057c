"""How a job ended: the file whose presence says that a run directory is complete."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.machine.results import save_json

FILE, BEGUN, LOCK = "outcome.json", "provenance.json", ".lock"


class Outcome(Enum):
    """How a job ended."""

    done = "done"
    problems = "problems"  # done, and the answer has problems
    refused = "refused"  # the config does not fit
    failed = "failed"  # an error on the way
    busy = "busy"  # someone else computes it right now; never written down

    @property
    def complete(self) -> bool:
        """Whether the rows are there, so that nothing is left to compute."""
        return self in (Outcome.done, Outcome.problems)


@dataclass(frozen=True)
class Record:
    """What is left of a job; ``measures`` are the scalars that its question offers."""

    key: str
    outcome: Outcome
    messages: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    reused: bool = False  # read from disk instead of computed


def write_record(out: Path, record: Record) -> Path:
    """The last thing that a job does."""
    content = {name: value for name, value in asdict(record).items() if name != "reused"}
    return save_json(out / FILE, content | {"outcome": record.outcome.value})


def read_record(out: Path) -> Record | None:
    """The record of a run directory; None where the job never ended."""
    try:
        found = json.loads((out / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Record(**found | {"outcome": Outcome(found["outcome"]), "messages": tuple(found["messages"]), "reused": True})


def finished(out: Path, key: str) -> Record | None:
    """The record of exactly this job, if its rows are complete."""
    record = read_record(out)
    return record if record and record.key == key and record.outcome.complete else None


def completed_runs(directory: Path) -> Iterator[Path]:
    """Every run directory at or below ``directory`` whose rows are complete, sorted."""
    for path in sorted(directory.rglob(FILE)):
        record = read_record(path.parent)
        if record is not None and record.outcome.complete:
            yield path.parent


def lock(out: Path) -> FileLock:
    """Held by whoever computes in a run directory; raises ``Timeout`` at once where another process has it."""
    return FileLock(out / LOCK, blocking=False)


def locked(out: Path) -> bool:
    """Whether some process computes in the run directory right now."""
    if not (out / LOCK).exists():
        return False
    try:
        with lock(out):
            return False
    except Timeout:
        return True
