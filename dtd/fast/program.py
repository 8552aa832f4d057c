"""Prepared passes: a forward sweep and a relevance pass with everything decided that does not depend on the data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dtd.fast.segment import Segment, Stage
from dtd.network.graph import Values
from dtd.propagation import Layer
from dtd.relevance.passage import Passage, Watch

LARGE_TENSOR = 2**25  # bytes; the C library's allocator keeps and hands out again what is no larger


class Swept(NamedTuple):
    """A finished forward sweep: the lower stages in micro-batches, the upper ones on all samples."""

    output: Tensor
    lower: list[Segment]
    samples: int  # of one micro-batch
    upper: Segment
    between: int  # the one value that the upper stages take from the lower ones
    checks: list[Tensor]  # truth values that must hold for the sweep to count
    given: frozenset[int]  # where the memory of the inputs begins, which is the caller's

    @property
    def nbytes(self) -> int:
        """Bytes that are saved for the way back: all memory that a saved tensor is a part of; of the inputs' the part."""
        seen: dict[tuple, Tensor] = {}
        for segment in (*self.lower, self.upper):
            collect_tensors(
                (segment.saved, [value for j, value in segment.kept.items() if j >= 0]), seen
            )  # inputs are the caller's
        held: Counter[int] = Counter()
        for tensor in seen.values():
            memory = tensor.untyped_storage()
            part = held[memory.data_ptr()] + tensor.nbytes if memory.data_ptr() in self.given else memory.nbytes()
            held[memory.data_ptr()] = min(memory.nbytes(), part)
        return held.total()

    def holds(self, relevance: Values) -> bool:
        """Whether all checks do, and whether output and relevance are finite (as sums: too large ones count as not)."""
        total = self.output.sum() + sum(part.sum() for part in relevance.values())
        if not self.checks:
            return isfinite(total.item())
        return bool(torch.stack([total.isfinite(), *self.checks]).all())


def collect_tensors(saved: Any, seen: dict[tuple, Tensor]) -> None:
    """Find all tensors in what was saved, those at the same place once."""
    if isinstance(saved, Tensor):
        seen[saved.data_ptr(), saved.shape, saved.stride()] = saved
    elif isinstance(saved, (list, tuple)):
        for each in saved:
            collect_tensors(each, seen)
    elif isinstance(saved, dict):
        collect_tensors(list(saved.values()), seen)


@dataclass(frozen=True, eq=False)
class Program:
    """A forward sweep and a relevance pass, without the balance of the layers.

    Relevance travels as coefficients ``c``, ``R = y ⊙ c``, wherever both sides can; that is decided before. Layers with
    large outputs are run on a few samples at a time, so that no tensor exceeds ``LARGE_TENSOR`` bytes: what is larger, the
    system maps anew for each use, which costs more than computing it.
    """

    stages: tuple[Stage, ...]
    output: int
    kept: frozenset[int]
    as_coefficients: frozenset[int]  # the explained inputs at which coefficients arrive
    sample_wise: bool  # whether samples may be propagated in several batches

    def at(self, layers: Sequence[Layer]) -> "Program":
        """The program on layers with other side values."""
        if not self.has_sides:
            return self
        stages = (stage if stage.remake is None else replace(stage, step=stage.remake(layers)) for stage in self.stages)
        return replace(self, stages=tuple(stages))

    def reading(self, passage: Passage) -> "Program":
        """The program that also keeps what a passage must see to be read and to gate."""
        wanted: set[int] = set()
        for stage in self.stages:
            read = passage.read.intersection(stage.positions)
            gates = [passage.gates[i] for i in stage.positions if i in passage.gates]
            if (read and stage.arriving) or any(gate.reads_values for gate in gates):
                wanted.add(stage.output)
            if stage.layer in read and stage.step.hands_coefficients:
                wanted |= set(stage.inputs)
        return replace(self, kept=self.kept | wanted)

    @cached_property
    def has_sides(self) -> bool:
        """Whether some layers hold side values, one for each sample of a call."""
        return any(stage.remake is not None for stage in self.stages)

    def forward(self, values: Values) -> Swept:
        """The forward sweep from the explained inputs. # shape: (B, *in) each"""
        cut, samples = self.split(values)
        checks: list[Tensor] = []
        between, lower, arriving = -1, [], dict(values)
        if cut:
            between, ends = self.stages[cut - 1].output, []
            read = {j for stage in self.stages[:cut] for j in stage.inputs if j < 0}
            parts = zip(*(values[j].split(samples) for j in read), strict=True)
            for part in parts:
                end, segment = self.ascend(self.stages[:cut], dict(zip(read, part, strict=True)), between, checks)
                ends.append(end)
                lower.append(segment)
            arriving = {j: x for j, x in values.items() if j not in read} | {between: torch.cat(ends)}
            del ends
        output, upper = self.ascend(self.stages[cut:], arriving, self.output, checks)
        given = frozenset(x.untyped_storage().data_ptr() for x in values.values())
        return Swept(output, lower, samples, upper, between, checks, given)

    def ascend(
        self, stages: tuple[Stage, ...], values: dict[int, Tensor], last: int, checks: list[Tensor]
    ) -> tuple[Tensor, Segment]:
        """The value ``last``, and the stages up to it with what they saved; consumes ``values``."""
        saved, kept = [], {j: x for j, x in values.items() if j in self.kept}
        for stage in stages:
            y, keep = stage.step.up(checks, *[values[j] for j in stage.inputs])
            values[stage.output] = y
            saved.append(keep)
            if stage.output in self.kept:
                kept[stage.output] = y
            for j in stage.drop:
                del values[j]
        return values[last], Segment(stages, saved, kept)

    def backward(
        self, swept: Swept, initial: Tensor, values: Values, release: bool = True, watch: Watch | None = None
    ) -> dict[int, Tensor]:
        """Relevance of each explained input; ``release`` lets go of what was saved as soon as it was used."""
        pending: dict[int, Tensor] = {self.output: initial}
        swept.upper.descend(pending, release, watch)
        if swept.lower:
            above, parts, size = pending.pop(swept.between).split(swept.samples), [], swept.samples
            watches = [watch and Watch(watch.passage.of_rows(slice(i * size, (i + 1) * size))) for i in range(len(above))]
            for segment, arrived, each in zip(swept.lower, above, watches, strict=True):
                parts.append({swept.between: arrived})
                segment.descend(parts[-1], release, each)
            pending |= {j: torch.cat([part[j] for part in parts]) for j in parts[0]}
            if watch is not None:
                watch.join([each for each in watches if each is not None])
        return self.at_inputs(pending, values)

    def at_inputs(self, pending: Values, values: Values) -> dict[int, Tensor]:
        """Relevance of the explained inputs from what arrived there, which may be coefficients."""
        found = {}
        for j, x in values.items():
            relevance = pending.get(j)
            found[j] = (
                torch.zeros_like(x) if relevance is None else relevance * x if j in self.as_coefficients else relevance
            )
        return found

    def split(self, values: Values) -> tuple[int, int]:
        """How many stages run in micro-batches, and of how many samples.

        0 when every tensor is small, samples belong together, or the device has an allocator of its own.
        """
        x = next(iter(values.values()))
        batch, most = x.shape[0], LARGE_TENSOR // x.element_size()
        if batch * self.largest <= most or x.device.type != "cpu" or not self.cuts:
            return 0, batch
        large = max(number for number, stage in enumerate(self.stages) if batch * stage.size > most)
        cut = next((cut for cut in self.cuts if cut > large + 1), self.cuts[-1])
        return cut, max(1, most // max(stage.size for stage in self.stages[:cut]))

    @cached_property
    def largest(self) -> int:
        """Numbers in one sample's largest output."""
        return max(stage.size for stage in self.stages)

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """After how many stages all that the rest needs is one value; none when some step must see whole batches.

        Side values are those of a whole batch: a program with some is not run in parts.
        """
        if not self.sample_wise or self.has_sides:
            return ()
        found = []
        for cut in range(1, len(self.stages) + 1):
            made = {j for stage in self.stages[:cut] for j in (stage.output, *stage.inputs)}
            crossing = {j for stage in self.stages[cut:] for j in stage.inputs} & made
            if crossing <= {self.stages[cut - 1].output}:
                found.append(cut)
        return tuple(found)
