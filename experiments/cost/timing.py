"""Fair clocks: every method in every round, one after the other, in one process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter

from torch import Tensor

from experiments.cost.recipes import Method, Prepared


@dataclass(frozen=True, eq=False)
class Warm:
    """A method after its first calls: what it returned, and how often it is called for one measurement."""

    method: Method
    output: Tensor
    calls: int


def once(prepared: Prepared) -> tuple[float, Tensor]:
    """One call, timed."""
    prepared.before()
    start = perf_counter()
    output = prepared.call()
    return perf_counter() - start, output


def warm_up(method: Method, seconds: float) -> Warm:
    """Two calls that do not count; the second tells how many calls one measurement needs to last ``seconds``."""
    with method.ready() as prepared:
        output = once(prepared)[1]
        took, _ = once(prepared)
    return Warm(method, output, max(1, ceil(seconds / took)))


def measure(warm: Warm) -> float:
    """Median seconds of a call; where calls are short, a first one refills the processor's caches."""
    with warm.method.ready() as prepared:
        if warm.calls > 1:
            once(prepared)
        return median(once(prepared)[0] for _ in range(warm.calls))


def interleaved(methods: Sequence[Warm], rounds: int) -> Iterator[tuple[int, Warm, float]]:
    """Rounds of all methods; each round starts with another one, so that none profits from its place."""
    for number in range(rounds):
        shift = number % len(methods)
        for warm in [*methods[shift:], *methods[:shift]]:
            yield number, warm, measure(warm)
