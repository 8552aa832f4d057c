"""Explanations within a memory bound: a few samples at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.errors import BudgetError, InputError, check_parameter
from dtd.explanation import Asked, Explanation
from dtd.reference import Record, Records
from dtd.target import Target, target_at
from dtd.taylor import Balance


def in_parts(asked: Asked, x: Tensor, target: Target, memory: int) -> Explanation:
    """The explanation of a batch, part by part; the first part, one sample, tells how many fit into ``memory`` bytes."""
    check_parameter(isinstance(memory, int) and memory > 0, "memory", "a number of bytes", memory)
    if asked.program is None or not asked.program.apart:
        raise InputError(
            "With 'memory' samples are explained in parts, and this plan has relevance models that may look at the whole "
            "batch. Explain x.split(n) one after the other instead."
        )
    if isinstance(target, Tensor) and target.ndim and len(target) != len(x):
        raise InputError(
            f"A target tensor has one entry for each of the {len(x)} samples; found shape {tuple(target.shape)}."
        )
    parts: list[Explanation] = []
    start, samples = 0, 1
    while start < len(x) or not parts:
        rows = slice(start, start + samples)
        sweep = asked.sweep(x[rows])
        if not parts:
            each = sweep.state.nbytes
            if each > memory:
                raise BudgetError(f"One sample needs {each:,} bytes; 'memory' is {memory:,}. Raise it.")
            samples = memory // max(1, each)
        parts.append(sweep.explanation(target_at(target, rows), last=True))
        start = rows.stop
    return joined(parts)


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
