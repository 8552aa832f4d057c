"""Prepared passes: a plan on a graph with everything decided that does not depend on the data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dtd.network.graph import Graph
from dtd.primitive import Pointwise
from dtd.propagation import Contextual, Layer, Propagation, Setting, Step

REMEMBERED = 4  # programs of one graph, each with its modified weights
LARGE = 2**25  # bytes; the C library's allocator keeps and hands out again what is no larger


@dataclass(frozen=True, eq=False)
class Stage:
    """One step and where its values come from and go to."""

    step: Step
    inputs: tuple[int, ...]
    output: int
    size: int  # numbers that one sample's output has
    drop: tuple[int, ...]  # values that nobody needs after it
    unscale: bool  # coefficients arrive that the step cannot take
    rescale: tuple[bool, ...]  # for each input: coefficients go where others hand relevance


class Segment(NamedTuple):
    """Some consecutive stages after their forward sweep, on some samples."""

    stages: tuple[Stage, ...]
    x: Tensor
    saved: list
    kept: dict[int, Tensor]  # values that turn coefficients into relevance

    def descend(self, pending: dict[int, Tensor], release: bool) -> None:
        """Hand the relevance ``pending`` at values down to those below the stages."""
        for number in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[number]
            relevance = pending.pop(stage.output)
            if stage.unscale:
                relevance = relevance * self.kept[stage.output]
            lower = stage.step.down(self.saved[number], relevance)
            del relevance
            if release:
                self.saved[number] = None
            for j, rescale, part in zip(stage.inputs, stage.rescale, lower, strict=True):
                part = part * (self.x if j < 0 else self.kept[j]) if rescale else part
                pending[j] = pending[j] + part if j in pending else part


class State(NamedTuple):
    """A finished forward sweep: the lower stages in micro-batches, the upper ones on all samples."""

    output: Tensor
    lower: list[Segment]
    upper: Segment
    between: int  # the one value that the upper stages take from the lower ones
    checks: list[Tensor]  # truth values that must hold for the sweep to count

    @property
    def nbytes(self) -> int:
        """Bytes that are saved for the way back; of memory that tensors share, no more than there is."""
        seen: dict[tuple, Tensor] = {}
        for segment in (*self.lower, self.upper):
            collect((segment.saved, segment.kept), seen)
        held: Counter[int] = Counter()
        for tensor in seen.values():
            memory = tensor.untyped_storage()
            held[memory.data_ptr()] = min(memory.nbytes(), held[memory.data_ptr()] + tensor.nbytes)
        return held.total()

    def holds(self, relevance: Tensor) -> bool:
        """Whether all checks do, and whether output and relevance are finite (as sums: too large ones count as not)."""
        total = self.output.sum() + relevance.sum()
        if not self.checks:
            return isfinite(total.item())
        return bool(torch.stack([total.isfinite(), *self.checks]).all())


def collect(saved: Any, seen: dict[tuple, Tensor]) -> None:
    """Find all tensors in what was saved, those at the same place once."""
    if isinstance(saved, Tensor):
        seen[saved.data_ptr(), saved.shape, saved.stride()] = saved
    elif isinstance(saved, (list, tuple)):
        for each in saved:
            collect(each, seen)
    elif isinstance(saved, dict):
        collect(list(saved.values()), seen)


@dataclass(frozen=True, eq=False)
class Program:
    """A forward sweep and a relevance pass, without the balance of the layers.

    Relevance travels as coefficients ``c``, ``R = y ⊙ c``, wherever both sides can; that is decided before. Layers with
    large outputs are run on a few samples at a time, so that no tensor exceeds ``LARGE`` bytes: what is larger, the
    system maps anew for each use, which costs more than computing it.
    """

    stages: tuple[Stage, ...]
    output: int
    kept: frozenset[int]
    scaled: bool  # coefficients arrive at the input

    def forward(self, x: Tensor) -> State:
        """The forward sweep."""
        cut, samples = self.split(x)
        checks: list[Tensor] = []
        between, arriving, lower = -1, x, []
        if cut:
            between = self.stages[cut - 1].output
            ends = []
            for part in x.split(samples):
                end, segment = self.ascend(self.stages[:cut], part, {-1: part}, between, checks)
                ends.append(end)
                lower.append(segment)
            arriving = torch.cat(ends)
            del ends
        output, upper = self.ascend(self.stages[cut:], x, {between: arriving}, self.output, checks)
        return State(output, lower, upper, between, checks)

    def ascend(
        self, stages: tuple[Stage, ...], x: Tensor, values: dict[int, Tensor], last: int, checks: list[Tensor]
    ) -> tuple[Tensor, Segment]:
        """The value ``last``, and the stages up to it with what they saved; consumes ``values``."""
        saved, kept = [], {}
        for stage in stages:
            y, keep = stage.step.up(checks, *[values[j] for j in stage.inputs])
            values[stage.output] = y
            saved.append(keep)
            for j in (stage.output, *stage.inputs) if self.kept else ():
                if j in self.kept:
                    kept[j] = values[j]
            for j in stage.drop:
                del values[j]
        return values[last], Segment(stages, x, saved, kept)

    def backward(self, state: State, initial: Tensor, x: Tensor, release: bool = True) -> Tensor:
        """Relevance of the input; ``release`` lets go of what was saved as soon as it was used."""
        pending: dict[int, Tensor] = {self.output: initial}
        state.upper.descend(pending, release)
        if state.lower:
            above, parts, start = pending[state.between], [], 0
            for segment in state.lower:
                part = {state.between: above[start : start + len(segment.x)]}
                start += len(segment.x)
                segment.descend(part, release)
                parts.append(part[-1])
            pending = {-1: torch.cat(parts)}
        relevance = pending.get(-1)
        if relevance is None:
            return torch.zeros_like(x)
        return relevance * x if self.scaled else relevance

    def split(self, x: Tensor) -> tuple[int, int]:
        """How many stages run in micro-batches, and of how many samples.

        0 when every tensor is small, samples belong together, or the device has an allocator of its own.
        """
        batch, most = x.shape[0], LARGE // x.element_size()
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
    def apart(self) -> bool:
        """Whether samples may be propagated in several batches."""
        return all(stage.step.apart for stage in self.stages)

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """After how many stages all that the rest needs is one value; none when some step must see whole batches."""
        if not self.apart:
            return ()
        found = []
        for cut in range(1, len(self.stages) + 1):
            made = {stage.output for stage in self.stages[:cut]} | {-1}
            crossing = {j for stage in self.stages[cut:] for j in stage.inputs} & made
            if crossing <= {self.stages[cut - 1].output}:
                found.append(cut)
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A step before it is known who reads what it writes."""

    step: Step
    inputs: tuple[int, ...]
    output: int
    scaled: bool  # coefficients arrive
    size: int


def prepared(graph: Graph, models: tuple[Propagation, ...], dtype: torch.dtype | None = None) -> Program | None:
    """:func:`prepare`, once for each plan; the graph remembers the last few. None where a model looks beyond its layer."""
    key = id(models), dtype
    if key not in graph.programs:
        while len(graph.programs) >= REMEMBERED:
            del graph.programs[next(iter(graph.programs))]
        beyond = any(isinstance(model, Contextual) for model in models)
        with torch.no_grad():
            made = None if beyond else prepare(graph, models, dtype)
        graph.programs[key] = models, made  # the models are kept, so that their id stays theirs
    return graph.programs[key][1]


def prepare(graph: Graph, models: Sequence[Propagation], dtype: torch.dtype | None = None) -> Program:
    """The program of bound models; ``dtype`` is that of passes with modified weights, where another is wanted.

    From the top: each layer is told how relevance arrives, and a pointwise function is merged into the layer below
    where nobody else reads that.
    """
    layers = graph.layers
    uses = Counter([j for layer in layers for j in layer.inputs] + [graph.output])
    forms: dict[int, list[bool]] = {graph.output: [False]}  # of each value: who hands coefficients to it
    fresh: dict[int, bool] = {}
    made: list[Prepared] = []
    merged: set[int] = set()
    for i in range(len(layers) - 1, -1, -1):
        if i in merged:
            continue
        arrival = {"scaled": all(forms[i]), "owned": len(forms[i]) > 1 or fresh.get(i, False), "dtype": dtype}
        step, at = None, i
        if is_mergeable(layers, models, uses, i):
            at = layers[i].inputs[0]
            step = models[at].prepare(layers[at], Setting(**arrival, after=layers[i]))
        if step is None or (at != i and not step.merged):
            step, at = models[i].prepare(layers[i], Setting(**arrival)), i
        merged.add(at)
        made.append(Prepared(step, layers[at].inputs, i, arrival["scaled"], prod(layers[i].shape)))
        for j in layers[at].inputs:
            forms.setdefault(j, []).append(step.hands_scaled)
            fresh[j] = step.fresh
    return assembled(made[::-1], graph.output, forms)


def is_mergeable(layers: tuple[Layer, ...], models: Sequence[Propagation], uses: Counter, i: int) -> bool:
    """Whether a layer is a pointwise function with its own propagation, and the only reader of the layer below."""
    primitive, below = layers[i].primitive, layers[i].inputs[0]
    return isinstance(primitive, Pointwise) and models[i] is primitive and below >= 0 and uses[below] == 1


def assembled(made: list[Prepared], output: int, forms: dict[int, list[bool]]) -> Program:
    """The stages, lowest first, with what each lets go of."""
    last = {j: number for number, each in enumerate(made) for j in each.inputs}
    stages, kept = [], set()
    for number, each in enumerate(made):
        unscale = each.scaled and not each.step.takes_scaled
        rescale = tuple(each.step.hands_scaled and not all(forms[j]) for j in each.inputs)
        kept |= {j for j, scale in zip(each.inputs, rescale, strict=True) if scale} | ({each.output} if unscale else set())
        drop = tuple({j for j in each.inputs if last[j] == number and j != output})
        stages.append(Stage(each.step, each.inputs, each.output, each.size, drop, unscale, rescale))
    return Program(tuple(stages), output, frozenset(kept - {-1}), all(forms.get(-1, [False])))
