"""Explanations within a memory bound: a few samples at a time, or one in blocks of layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from dtd.errors import BudgetError, InputError, check_parameter
from dtd.explaining.balances import Record, Records, Replay
from dtd.explaining.explanation import Explanation
from dtd.explaining.request import Asked, Request
from dtd.explaining.target import initial_relevance, target_at
from dtd.fast import Blocks, Footprint, Program, footprint
from dtd.network.leaves import Inputs
from dtd.relevance.passage import joined_hidden
from dtd.taylor import Balance


def in_parts(request: Request, inputs: Inputs, target: Asked, memory: int) -> Explanation:
    """The explanation of a batch, as many samples at a time as save no more than ``memory`` bytes between the sweeps.

    A sample that saves more by itself is explained in blocks of layers, which are run again on the way down.
    """
    whole = isinstance(memory, Integral) and not isinstance(memory, bool)
    check_parameter(whole and memory > 0, "memory", "a positive integer (bytes)", repr(memory))
    program, reading = request.program, request.reading
    if program is None or not program.sample_wise:
        raise InputError(
            "With 'memory' samples are explained in parts, and this plan has relevance models that may look at the whole "
            "batch (the exact and the min-max model, a damping function or metric without 'sample_wise = True', bounds that "
            "differ between samples), or was asked for with fast=False. Explain x.split(n) one after the other instead."
        )
    target = request.target(target)
    if not callable(target):
        graph = reading.graph
        output = graph.like.new_zeros(()).expand(reading.batch, *graph.layers[graph.output].shape)
        initial_relevance(output, target)  # raises where it does not fit the batch
    if not reading.batch:
        return request.sweep().explanation(target, last=True)
    one = one_sample(request, program, inputs)
    if one.total > memory:
        request, samples = request._replace(program=in_blocks(program, one, memory)), 1
    else:
        samples = fitting(request, program, one.total, memory)
    if samples >= reading.batch:
        return request.sweep().explanation(target, True, 5)
    parts = []
    for start in range(0, reading.batch, samples):
        rows = slice(start, start + samples)
        parts.append(request.of_rows(inputs, rows).sweep().explanation(target_at(target, rows), True, 5))
    return joined_explanation(parts)


def one_sample(request: Request, program: Program, inputs: Inputs) -> Footprint:
    """What one sample saves, found by one forward sweep, once for each program."""
    graph = request.reading.graph.base

    def measured() -> Footprint:
        one = request.of_rows(inputs, slice(0, 1))
        return footprint(program.at(one.reading.graph.layers), one.reading.values)

    key = (request.models, request.pass_dtype, *request.passage.key(graph.layers))
    return graph.footprints.get(key, measured)


def in_blocks(program: Program, one: Footprint, memory: int) -> Blocks:
    """The program in blocks that are run twice, so that one sample holds no more than ``memory`` bytes."""
    starts, least = one.starts(memory)
    if least > memory:
        raise BudgetError(f"One sample needs {least:,} bytes; 'memory' is {memory:,}. Raise it.")
    return Blocks.of(program, starts)


def fitting(request: Request, program: Program, each: int, memory: int) -> int:
    """How many samples fit that save so many bytes ``each``."""
    each = max(1, each)
    cut, _ = program.split({j: x[: memory // each] for j, x in request.reading.values.items()})
    copied = program.stages[cut - 1].size * request.reading.graph.like.element_size() if cut else 0  # of micro-batches
    return max(1, memory // (each + copied))


def joined_explanation(explanations: list[Explanation]) -> Explanation:
    """The explanation of all parts' samples."""
    output, initial = (torch.cat([getattr(each, name) for each in explanations]) for name in ("output", "initial"))
    relevance = joined_relevance([each.relevance for each in explanations])
    hidden = joined_hidden([each.at for each in explanations])
    return Explanation(relevance, output, initial, Joined(tuple(each.source for each in explanations)), hidden)


def joined_relevance(parts: list[Any]) -> Tensor | dict[str, Tensor]:
    """Relevance of all parts' samples, of the one input or by the inputs' names."""
    if isinstance(parts[0], Tensor):
        return torch.cat(parts)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True, eq=False)
class Joined:
    """What happened at each layer, part by part."""

    parts: tuple[Records, ...]

    def records(self) -> Mapping[str, Record]:
        """By name."""
        found = [part.records() for part in self.parts]
        return {name: together([each[name] for each in found]) for name in found[0]}

    def replays(self) -> tuple[Replay, ...]:
        """Those of all parts."""
        return tuple(replay for part in self.parts for replay in part.replays())


def together(records: list[Record]) -> Record:
    """One layer's record of all parts' samples."""
    sums = zip(*(record.balance.parts() for record in records), strict=True)
    magnitude = torch.cat([record.magnitude for record in records])
    return Record(records[0].layer, records[0].model, Balance(*map(torch.cat, sums)), magnitude)
