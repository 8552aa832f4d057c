"""Prepared passes: a plan on a graph with everything decided that does not depend on the data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.network.graph import Graph
from dtd.primitive import Pointwise
from dtd.propagation import Layer, Propagation, Setting, Step

REMEMBERED = 4  # programs of one graph, each with its modified weights


@dataclass(frozen=True, eq=False)
class Stage:
    """One step and where its values come from and go to."""

    step: Step
    inputs: tuple[int, ...]
    output: int
    drop: tuple[int, ...]  # values that nobody needs after it
    unscale: bool  # coefficients arrive that the step cannot take
    rescale: tuple[bool, ...]  # for each input: coefficients go where others hand relevance


@dataclass(frozen=True, eq=False)
class State:
    """A finished forward sweep."""

    output: Tensor
    saved: list
    kept: dict[int, Tensor]  # values that turn coefficients into relevance
    checks: list[Tensor]  # truth values that must hold for the sweep to count

    def holds(self, relevance: Tensor) -> bool:
        """Whether all checks do, and whether output and relevance are finite (as sums: too large ones count as not)."""
        finite = (self.output.sum() + relevance.sum()).isfinite()
        return bool(torch.stack([finite, *self.checks]).all() if self.checks else finite)


@dataclass(frozen=True, eq=False)
class Program:
    """A forward sweep and a relevance pass, without the balance of the layers.

    Relevance travels as coefficients ``c``, ``R = y ⊙ c``, wherever both sides can; that is decided here.
    """

    stages: tuple[Stage, ...]
    output: int
    kept: frozenset[int]
    scaled: bool  # coefficients arrive at the input

    def forward(self, x: Tensor) -> State:
        """The forward sweep."""
        values, saved, checks, kept = {-1: x}, [], [], {}
        for stage in self.stages:
            y, keep = stage.step.up(checks, *[values[j] for j in stage.inputs])
            values[stage.output] = y
            saved.append(keep)
            for j in stage.drop:
                if j in self.kept:
                    kept[j] = values[j]
                del values[j]
        return State(values[self.output], saved, kept, checks)

    def backward(self, state: State, initial: Tensor, x: Tensor, release: bool = True) -> Tensor:
        """Relevance of the input; ``release`` lets go of what was saved as soon as it was used."""
        pending: dict[int, Tensor] = {self.output: initial}
        for number in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[number]
            relevance = pending.pop(stage.output)
            if stage.unscale:
                relevance = relevance * state.kept[stage.output]
            lower = stage.step.down(state.saved[number], relevance)
            del relevance
            if release:
                state.saved[number] = None
            for j, rescale, part in zip(stage.inputs, stage.rescale, lower, strict=True):
                part = part * (x if j < 0 else state.kept[j]) if rescale else part
                pending[j] = pending[j] + part if j in pending else part
        relevance = pending.get(-1)
        if relevance is None:
            return torch.zeros_like(x)
        return relevance * x if self.scaled else relevance


@dataclass(frozen=True, eq=False)
class Prepared:
    """A step before it is known who reads what it writes."""

    step: Step
    inputs: tuple[int, ...]
    output: int
    scaled: bool  # coefficients arrive


def prepared(graph: Graph, models: tuple[Propagation, ...], dtype: torch.dtype | None = None) -> Program:
    """:func:`prepare`, once for each plan; the graph remembers the last few."""
    key = id(models), dtype
    if key not in graph.programs:
        while len(graph.programs) >= REMEMBERED:
            del graph.programs[next(iter(graph.programs))]
        with torch.no_grad():
            graph.programs[key] = models, prepare(graph, models, dtype)  # the models are kept, so that their id stays theirs
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
        made.append(Prepared(step, layers[at].inputs, i, arrival["scaled"]))
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
        stages.append(Stage(each.step, each.inputs, each.output, drop, unscale, rescale))
    return Program(tuple(stages), output, frozenset(kept - {-1}), all(forms.get(-1, [False])))
