"""Peak memory of a piece of work, in a process of its own."""

import gc
import pickle
import time
from collections.abc import Callable, Iterator
from ctypes import CDLL
from ctypes.util import find_library
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from typing import Any

import torch

STATUS = Path("/proc/self/statm")
PAGE = 4096  # bytes
PAUSE = 0.0005  # seconds between two looks


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(STATUS.read_text().split()[1]) * PAGE


def let_go() -> None:
    """Hand back what is free but kept for later: it would hide as much of what comes next."""
    gc.collect()
    library = find_library("c")
    if library is not None and hasattr(CDLL(library), "malloc_trim"):
        CDLL(library).malloc_trim(0)


def peak_memory(work: Callable[..., Iterator[None]], *arguments: Any) -> float:
    """Megabytes that ``work(*arguments)`` adds at its peak to what its process holds at its first pause.

    NaN where the system does not tell. The process has as many torch threads as this one.
    """
    if not STATUS.exists():
        return float("nan")
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=watched, args=(there, torch.get_num_threads(), work, pickle.dumps(arguments)))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        return float("nan")
    finally:
        process.join()


def watched(end: Any, threads: int, work: Callable[..., Iterator[None]], arguments: bytes) -> None:
    """Do the work and send what it added."""
    torch.set_num_threads(threads)
    if find_spec("torchvision") is not None:
        import_module("experiments.machine.vision")  # before a model of a library that imports it is read
    steps = work(*pickle.loads(arguments))
    next(steps)
    let_go()
    before, done, peak = resident(), Event(), [0]

    def look() -> None:
        while not done.is_set():
            peak[0] = max(peak[0], resident())
            time.sleep(PAUSE)

    looking = Thread(target=look)
    looking.start()
    try:
        for _ in steps:
            pass
    finally:
        done.set()
        looking.join()
    end.send((peak[0] - before) / 1e6)
