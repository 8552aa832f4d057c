"""Explanations within a memory bound: a few samples at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from dtd.errors import BudgetError, InputError, check_parameter
from dtd.explanation import Asked, Explanation
from dtd.program import Program
from dtd.reference import Record, Records
from dtd.target import Target, initial_relevance, target_at
from dtd.taylor import Balance

SAVED: WeakKeyDictionary[Program, int] = WeakKeyDictionary()  # bytes that one sample's forward sweep saves


def in_parts(asked: Asked, x: Tensor, target: Target, memory: int) -> Explanation:
    """The explanation of a batch, as many samples at a time as save no more than ``memory`` bytes between the sweeps."""
    whole = isinstance(memory, Integral) and not isinstance(memory, bool)
    check_parameter(whole and memory > 0, "memory", "a positive integer (bytes)", repr(memory))
    if asked.program is None or not asked.program.apart:
        raise InputError(
            "With 'memory' samples are explained in parts, and this plan has relevance models that may look at the whole "
            "batch. Explain x.split(n) one after the other instead."
        )
    if not callable(target):
        output = asked.graph.layers[asked.graph.output].shape
        initial_relevance(x.new_zeros(()).expand(len(x), *output), target)  # raises where it does not fit the batch
    samples = fitting(asked.program, x, memory)
    if samples >= len(x):
        return asked.sweep(x).explanation(target, last=True)
    parts = []
    for start in range(0, len(x), samples):
        rows = slice(start, start + samples)
        parts.append(asked.sweep(x[rows]).explanation(target_at(target, rows), last=True))
    return joined(parts)


def fitting(program: Program, x: Tensor, memory: int) -> int:
    """How many samples fit; what one saves is found by one forward sweep, once for each program."""
    if not len(x):
        return 1
    if program not in SAVED:
        SAVED[program] = max(1, program.forward(x[:1]).nbytes)
    each = SAVED[program]
    if each > memory:
        raise BudgetError(f"One sample needs {each:,} bytes; 'memory' is {memory:,}. Raise it.")
    cut, _ = program.split(x[: memory // each])
    copied = program.stages[cut - 1].size * x.element_size() if cut else 0  # where micro-batches are put together
    return max(1, memory // (each + copied))


def joined(parts: list[Explanation]) -> Explanation:
    """The explanation of all parts' samples."""
    relevance, output, initial = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("relevance", "output", "initial")
    )
    return Explanation(relevance, output, initial, Joined(tuple(part.reference for part in parts)))


@dataclass(frozen=True, eq=False)
class Joined:
    """What happened at each layer, part by part."""

    parts: tuple[Records, ...]

    def records(self) -> Mapping[str, Record]:
        """By name."""
        found = [part.records() for part in self.parts]
        return {name: together([each[name] for each in found]) for name in found[0]}


def together(records: list[Record]) -> Record:
    """One layer's record of all parts' samples."""
    sums = zip(*(record.balance.parts() for record in records), strict=True)
    return Record(records[0].layer, records[0].model, Balance(*map(torch.cat, sums)))
