"""What a job must find as if it were alone: the number of threads and the state of every random generator."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """``number`` threads of torch inside, as many as before outside; None leaves them alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if number is None else number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, numpy's and torch's global generators start from ``seed`` inside and go on as before outside.

    Jobs that share a process thus give the same numbers as alone.
    """
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def load() -> float:
    """How many processes wanted a core in the last minute, this one's start included; NaN where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
