"""Work in a process of its own, within a time limit: neither a crash nor an endless loop stops the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import torch


@dataclass(frozen=True)
class Lost(Exception):
    """The process ended without an answer; ``why`` says how."""

    why: str


def apart(work: Callable[..., Any], *arguments: Any, limit: float, preload: Sequence[str] = ()) -> Any:
    """``work(*arguments)``, computed by a process of its own with one thread.

    ``preload`` names modules that a server imports once, from which each process is forked. Raises :class:`Lost` after
    ``limit`` seconds, and for a process that dies.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", *preload])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=sent, args=(there, work, arguments), daemon=True)
    process.start()
    there.close()
    try:
        if not here.poll(limit):
            raise Lost(f"not done after {limit:g} s")
        return here.recv()
    except EOFError:
        process.join()
        raise Lost(f"the process ended with status {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
        here.close()


def sent(end: Any, work: Callable[..., Any], arguments: tuple) -> None:
    """Do the work and send what it returns."""
    torch.set_num_threads(1)
    end.send(work(*arguments))
