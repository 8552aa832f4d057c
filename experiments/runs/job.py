"""One job: check, compute, write, then report what was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from filelock import Timeout
from omegaconf import DictConfig, OmegaConf

from dtd.errors import DTDError
from dtd.plot.style import styled
from experiments.configs.base import ConfigError
from experiments.configs.run import Config, option, typed
from experiments.machine.conditions import seeded, threads
from experiments.machine.console import console
from experiments.machine.notes import MODELS, noting
from experiments.machine.results import OutputError, read_table, remove_parts, save_figure, save_json, save_table, save_text
from experiments.questions import question
from experiments.questions.base import Question
from experiments.runs.checks import check
from experiments.runs.identity import job_key
from experiments.runs.log import Log, logged
from experiments.runs.objective import check_objective
from experiments.runs.provenance import provenance
from experiments.runs.record import BEGUN, FILE, Outcome, Record, finished, lock, write_record

DONE, WRONG, REFUSED, FAILED = 0, 1, 2, 3  # exit statuses
ENDINGS = {
    Outcome.done: (DONE, ""),
    Outcome.problems: (WRONG, "Problem"),
    Outcome.refused: (REFUSED, "Refused"),
    Outcome.busy: (REFUSED, "Refused"),
    Outcome.failed: (FAILED, "Failed"),
}


@dataclass(frozen=True, eq=False)
class Job:
    """What is computed, where, and from which overrides; alone or in a sweep."""

    config: DictConfig
    out: Path
    overrides: Sequence[str]
    key: str
    sweeping: bool

    @property
    def loud(self) -> bool:
        """Whether it speaks to the terminal, not only to its log."""
        return not (self.sweeping or self.config.quiet)

    @property
    def drawn(self) -> bool:
        """Whether it draws its figures."""
        return not self.sweeping if self.config.figures is None else self.config.figures


def run(config: DictConfig, out: Path, overrides: Sequence[str] = ()) -> int:
    """Ask the config's question and leave tables, figures, config, provenance, log and record in ``out``.

    Returns the exit status. 0: done. 1: done, and the answer has problems, which are named. 2: refused, since the config
    does not fit, or another process computes in ``out``. 3: an error, whose traceback is in the log.
    """
    record = alone(Job(config, out, overrides, job_key(config), sweeping=False))
    status, word = ENDINGS[record.outcome]
    for message in record.messages:
        console.print(f"[bold red]{word}:[/] ", end="")
        console.print(message, soft_wrap=True, markup=False)
    if not config.quiet:
        console.print(f"Results: {out}", soft_wrap=True, markup=False)
    return status


def run_in_sweep(config: DictConfig, out: Path, overrides: Sequence[str]) -> Record:
    """Run one job of a sweep in silence and return its record, or the earlier record where this very job is complete."""
    return alone(Job(config, out, overrides, job_key(config), sweeping=True))


def alone(job: Job) -> Record:
    """Compute unless another process does it right now or, in a sweep, has done it."""
    try:
        job.out.mkdir(parents=True, exist_ok=True)
        with lock(job.out):
            return (finished(job.out, job.key) if job.sweeping else None) or recorded(job)
    except Timeout:
        return Record(job.key, Outcome.busy, (f"Another process computes in {job.out} right now.",))
    except OSError as error:
        why = f"'{job.out}' could not be written to: {error.strerror}."
        return Record(job.key, Outcome.failed, (str(error) if isinstance(error, OutputError) else why,))


def recorded(job: Job) -> Record:
    """Compute, and write down at the very end how it went."""
    (job.out / FILE).unlink(missing_ok=True)
    remove_parts(job.out)
    start = perf_counter()
    with logged(job.out, job.loud) as log:
        log.lines.info("started: %s", " ".join(job.overrides) or "no overrides")
        record = replace(computed(job, log), seconds=perf_counter() - start)
        log.lines.info("%s after %.2f s", record.outcome.value, record.seconds)
        for message in record.messages:
            log.lines.info(message)
        write_record(job.out, record)
    return record


def computed(job: Job, log: Log) -> Record:
    """Every way to end becomes a record; the traceback of an error goes to the log."""
    try:
        made = typed(job.config)
        check(made)
        asked = question(made.question)
        check_objective(asked, made)
        with threads(made.threads), seeded(made.seed):
            save_text(job.out / "config.yaml", OmegaConf.to_yaml(job.config, resolve=True))
            save_json(
                job.out / BEGUN,
                provenance(job.key, made.seed, job.overrides) | {"question": option("question", made.question)},
            )
            problems, measures = answer(asked, made, job, log)
    except ConfigError as error:
        return Record(job.key, Outcome.refused, (str(error),))
    except (DTDError, OutputError) as error:  # these say in words what is wrong; where it was found is in the log
        log.lines.info("ended", exc_info=True)
        outcome = Outcome.refused if isinstance(error, DTDError) else Outcome.failed
        return Record(job.key, outcome, (str(error),))
    except Exception as error:
        log.lines.exception("failed")
        return Record(job.key, Outcome.failed, (f"{type(error).__name__}: {error}",))
    return Record(job.key, Outcome.problems if problems else Outcome.done, tuple(problems), measures)


def answer(asked: Question, config: Config, job: Job, log: Log) -> tuple[list[str], Mapping[str, float]]:
    """Write every table as soon as it is there, then report from what was written; returns problems and measures."""
    names: dict[str, None] = {}  # in order; a table that comes again has more rows than before
    with noting() as accuracies:
        for name, table in asked.tables(config):
            save_table(job.out / f"{name}.csv", table)
            names[name] = None
    if accuracies:
        save_json(job.out / MODELS, {"accuracy": accuracies})
    tables = {name: read_table(job.out / f"{name}.csv") for name in names}
    for shown in (log.tables, console) if job.loud else (log.tables,):
        asked.show(tables, shown)
    if job.drawn:
        with styled():
            for name, figure in asked.figures(tables).items():
                save_figure(job.out / name, figure)
    return asked.problems(tables), {name: float(measure(tables)) for name, measure in asked.measures.items()}
