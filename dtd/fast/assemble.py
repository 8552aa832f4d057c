"""From a bound plan to a program: who hands coefficients to whom, what is merged, what is let go of."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import torch

from dtd.callers.arithmetic import own_arithmetic
from dtd.fast.program import Program
from dtd.fast.segment import Stage
from dtd.fast.step import Setting, Step, prepare
from dtd.network.graph import Graph
from dtd.primitive import Pointwise
from dtd.propagation import Contextual, Layer, Propagation
from dtd.relevance import Identity
from dtd.relevance.passage import NOWHERE, Passage


def prepared(
    graph: Graph,
    models: tuple[Propagation, ...],
    dtype: torch.dtype | None = None,
    passage: Passage = NOWHERE,
    state: str = "",
) -> Program | None:
    """:func:`assemble`, once for each plan; the graph remembers the last few. None where a model looks beyond its layer.

    ``state`` is another object when a tensor of the plan was written to since.
    """
    if any(isinstance(model, Contextual) for model in models):
        return None
    base, apart = graph.base, passage.apart
    key = (models, dtype, state, *(base.layers[i] for i in sorted(apart)))
    program = base.programs.get(key, lambda: assemble(base, models, dtype, apart)).at(graph.layers)
    return program.reading(passage) if passage else program


@dataclass(frozen=True, eq=False)
class Placed:
    """A step before it is known who reads what it writes."""

    step: Step
    layer: int
    inputs: tuple[int, ...]
    output: int
    as_coefficients: bool  # coefficients arrive
    size: int
    remake: Callable[[Sequence[Layer]], Step] | None


@dataclass(frozen=True, eq=False)
class Remake:
    """The step of a layer that holds side values, for those of a call."""

    model: Propagation
    at: int
    setting: Setting

    def __call__(self, layers: Sequence[Layer]) -> Step:
        return prepare(self.model, layers[self.at], self.setting)


@own_arithmetic()
def assemble(
    graph: Graph,
    models: Sequence[Propagation],
    dtype: torch.dtype | None = None,
    apart: frozenset[int] = frozenset(),
) -> Program:
    """The program of bound models; ``dtype`` is that of passes with modified weights, where another is wanted.

    From the top: each layer is told how relevance arrives, and a pointwise function is merged into the layer below
    where nobody else reads that, and it is not to be kept ``apart``.
    """
    layers = graph.layers
    uses = Counter([j for layer in layers for j in layer.inputs] + [graph.output])
    forms: dict[int, list[bool]] = {graph.output: [False]}  # of each value: who hands coefficients to it
    owned: dict[int, bool] = {}
    placed: list[Placed] = []
    merged: set[int] = set()
    for i in range(len(layers) - 1, -1, -1):
        if i in merged:
            continue
        ours = len(forms[i]) > 1 or owned.get(i, False)
        setting = Setting(as_coefficients=all(forms[i]), may_overwrite=ours, dtype=dtype)
        step, at = None, i
        if is_mergeable(layers, models, uses, i) and layers[i].inputs[0] not in apart:
            at, merging = layers[i].inputs[0], replace(setting, activation=layers[i])
            step = prepare(models[at], layers[at], merging)
            setting = merging if step.merged else setting
        if step is None or not (at == i or step.merged):
            step, at = prepare(models[i], layers[i], setting), i
        merged.add(at)
        remake = Remake(models[at], at, setting) if layers[at].sides else None
        placed.append(Placed(step, at, layers[at].inputs, i, setting.as_coefficients, prod(layers[i].shape), remake))
        for j in layers[at].inputs:
            forms.setdefault(j, []).append(step.hands_coefficients)
            owned[j] = step.owns_result
    sample_wise = all(model.sample_wise(layer) for model, layer in zip(models, layers, strict=True))
    return linked(placed[::-1], graph.output, forms, sample_wise)


def is_mergeable(layers: tuple[Layer, ...], models: Sequence[Propagation], uses: Counter, i: int) -> bool:
    """Whether a layer is a pointwise function that relevance passes, and the only reader of the layer below."""
    below = layers[i].inputs[0]
    passes = isinstance(layers[i].op, Pointwise) and isinstance(models[i], Identity)
    return passes and below >= 0 and uses[below] == 1


def linked(placed: list[Placed], output: int, forms: dict[int, list[bool]], sample_wise: bool) -> Program:
    """The stages, lowest first, with what each lets go of."""
    last = {j: number for number, each in enumerate(placed) for j in each.inputs}
    stages, kept = [], set()
    for number, each in enumerate(placed):
        here = each.as_coefficients and not each.step.takes_coefficients
        lower = tuple(each.step.hands_coefficients and not all(forms[j]) for j in each.inputs)
        kept |= {j for j, needed in zip(each.inputs, lower, strict=True) if needed} | ({each.output} if here else set())
        drop = tuple({j for j in each.inputs if last[j] == number and j != output})
        place = (each.step, each.inputs, each.output, each.size, drop, each.layer, each.as_coefficients)
        stages.append(Stage(*place, here, lower, each.remake))
    arriving = frozenset(j for j, handed in forms.items() if j < 0 and all(handed))
    return Program(tuple(stages), output, frozenset(kept), arriving, sample_wise)
