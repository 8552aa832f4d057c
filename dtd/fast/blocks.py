"""One long sample in blocks: between the sweeps only what they start from is kept, and each is run again on the way down."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor

from dtd.fast.program import Program, Swept, collect_tensors
from dtd.fast.segment import Segment
from dtd.network.graph import Values
from dtd.relevance.passage import Watch

Bytes = dict[tuple, int]  # bytes of each memory: that of a value by its number, or one that a stage made by the stage's


@dataclass(frozen=True, eq=False)
class Blocks(Program):
    """A program whose stages are run again, block by block, on the way down: a second forward sweep, for less memory.

    ``starts`` are the first stages of the blocks, the lowest one 0. The uppermost block is not run twice.
    """

    starts: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, program: Program, starts: tuple[int, ...]) -> "Blocks":
        """The same program in blocks."""
        return cls(**{each.name: getattr(program, each.name) for each in fields(Program)}, starts=starts)

    def forward(self, values: Values) -> Swept:
        """The forward sweep; a segment below the uppermost holds what its block starts from, and saved nothing."""
        checks: list[Tensor] = []
        lower, alive = [], dict(values)
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            stages = self.stages[start:end]
            lower.append(Segment(stages, [], dict(alive)))
            self.ascend(stages, alive, stages[-1].output, checks)
        output, upper = self.ascend(self.stages[self.starts[-1] :], alive, self.output, checks)
        given = frozenset(x.untyped_storage().data_ptr() for x in values.values())
        return Swept(output, lower, len(output), upper, -1, checks, given)

    def backward(
        self, swept: Swept, initial: Tensor, values: Values, release: bool = True, watch: Watch | None = None
    ) -> dict[int, Tensor]:
        """Relevance of each explained input; ``release`` lets go of what was saved as soon as it was used."""
        pending: dict[int, Tensor] = {self.output: initial}
        swept.upper.descend(pending, release, watch)
        for number in range(len(swept.lower) - 1, -1, -1):
            stages, _, alive = swept.lower[number]
            if release:
                del swept.lower[number]
            _, again = self.ascend(stages, dict(alive), stages[-1].output, [])
            del alive
            again.descend(pending, True, watch)
        return self.at_inputs(pending, values)


class Footprint(NamedTuple):
    """What a forward sweep keeps: at each stage the memory that is saved there, and the values that later stages read."""

    saved: tuple[Bytes, ...]
    alive: tuple[Bytes, ...]  # before each stage, the inputs left out

    @property
    def total(self) -> int:
        """Bytes that the whole sweep saves."""
        return sum(union(self.saved).values())

    def peak(self, starts: tuple[int, ...]) -> int:
        """The most bytes that are held at once with blocks that start there."""
        borders: Bytes = {}
        most = 0
        for start, end in zip(starts, (*starts[1:], len(self.saved)), strict=True):
            borders |= self.alive[start]
            most = max(most, sum((borders | union(self.saved[start:end])).values()))
        return most

    def blocks(self, most: int) -> tuple[int, ...]:
        """The starts of blocks that save no more than ``most`` bytes each, but for single stages that do."""
        starts, held = [0], Bytes()
        for number, saved in enumerate(self.saved):
            held |= saved
            if number > starts[-1] and sum(held.values()) > most:
                starts.append(number)
                held = dict(saved)
        return tuple(starts)

    def starts(self, memory: int) -> tuple[tuple[int, ...], int]:
        """Blocks that hold no more than ``memory`` bytes, as few as do; else those that hold the fewest. And their bytes."""
        tried = (self.blocks(most) for most in self.sizes())
        found = [(starts, self.peak(starts)) for starts in dict.fromkeys(tried)]
        fitting = [each for each in found if each[1] <= memory]
        return fitting[0] if fitting else min(found, key=lambda each: each[1])

    def sizes(self) -> Iterator[int]:
        """Bytes that a block may save: from those of all stages down to those of one."""
        most = self.total
        while most > 1:
            yield most
            most = most * 7 // 8
        yield 0


def union(parts: tuple[Bytes, ...]) -> Bytes:
    """Each memory once."""
    found: Bytes = {}
    for part in parts:
        found |= part
    return found


def footprint(program: Program, values: Values) -> Footprint:
    """What a forward sweep would keep, by one that keeps nothing."""
    held = dict(values)
    places = {x.untyped_storage().data_ptr(): j for j, x in values.items()}  # of the memory of values, whose it is
    saved, alive = [], []
    for number, stage in enumerate(program.stages):
        alive.append(memories([x for j, x in held.items() if j >= 0], places, number))
        y, keep = stage.step.up([], *[held[j] for j in stage.inputs])
        held[stage.output] = y
        places.setdefault(y.untyped_storage().data_ptr(), stage.output)
        kept = [held[j] for j in (*stage.inputs, stage.output) if j in program.kept and j >= 0]
        saved.append(memories([keep, kept], places, number))
        del keep, kept, y
        for j in stage.drop:
            del held[j]
        left = {x.untyped_storage().data_ptr() for x in held.values()}
        places = {place: j for place, j in places.items() if place in left}
    return Footprint(tuple(saved), tuple(alive))


def memories(tensors: Any, places: dict[int, int], number: int) -> Bytes:
    """The memory that tensors are parts of; of an input's, which the caller holds anyway, the part."""
    seen: dict[tuple, Tensor] = {}
    collect_tensors(tensors, seen)
    found: Bytes = {}
    for tensor in seen.values():
        memory = tensor.untyped_storage()
        place = places.get(memory.data_ptr())
        key = ("stage", number, memory.data_ptr()) if place is None else ("value", place)
        part = found.get(key, 0) + tensor.nbytes if place is not None and place < 0 else memory.nbytes()
        found[key] = min(memory.nbytes(), part)
    return found
