"""A copy of the project in which one line at a time is wrong, and processes that look at it."""

import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from proofs.mutation.changes import Change

PARTS = ("dtd", "proofs", "tests", "experiments", "conf", "docs", "hydra_plugins", "pyproject.toml", "README.md")
OWN = ("dtd", "proofs", "tests", "experiments", "hydra_plugins", "conftest", "__main__")
FORK = multiprocessing.get_context("fork")


def copied(project: Path, place: Path) -> Path:
    """The project's files at another place, without what Python compiled."""
    place.mkdir(parents=True)
    for part in PARTS:
        source = project / part
        if source.is_dir():
            shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
        elif source.exists():
            shutil.copy2(source, place / part)
    return place


@contextmanager
def changed(copy: Path, change: Change) -> Iterator[None]:
    """The copy with one line changed; its time of change is new, so that nothing compiled before is taken for it."""
    path = copy / change.path
    source, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(change.made(source), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def third_party() -> list[str]:
    """Modules that are loaded now and are not the project's."""
    return sorted(name for name in sys.modules if name.split(".")[0] not in OWN)


def warm(names: Iterable[str]) -> None:
    """Import what guards import beside the project, so that no process has to."""
    for name in names:
        with suppress(Exception):
            import_module(name)


def enter(copy: Path) -> None:
    """From here on the project is the copy."""
    for name in [name for name in sys.modules if name.split(".")[0] in OWN and name != "__main__"]:
        del sys.modules[name]
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    os.chdir(copy)


def forked(copy: Path, look: Callable[..., str], arguments: tuple, seconds: float) -> tuple[str, float]:
    """What a process says that looks at the copy, and after how long: "time out" if it is not done in time."""
    reader, writer = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_child, args=(copy, look, arguments, writer))
    start = time.perf_counter()
    process.start()
    writer.close()
    said = "time out"
    try:
        if reader.poll(seconds):
            said = reader.recv()
    except EOFError:
        said = "crash"
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return said, time.perf_counter() - start


def _child(copy: Path, look: Callable[..., str], arguments: tuple, writer: Any) -> None:
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    enter(copy)
    try:
        writer.send(look(*arguments))
    except BaseException as error:  # whatever a changed line raises on import, somebody noticed
        writer.send(f"import: {type(error).__name__}")
