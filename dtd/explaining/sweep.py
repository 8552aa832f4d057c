"""The pass by definition: a forward sweep, and a relevance pass that adds up what each layer hands down and keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from dtd.errors import NonFiniteError
from dtd.explaining.target import Target, initial_relevance, target_of
from dtd.network.above import live, output_from, same_region
from dtd.network.graph import Graph, Values
from dtd.propagation import Context, Contextual, Layer, Propagation, per_sample
from dtd.relevance.passage import NOWHERE, Passage, Watch
from dtd.taylor import Balance


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished forward sweep from layer ``first`` on: the output, and what each layer saved for the relevance pass.

    ``target`` is what is explained, ``samples`` the sample that each row belongs to and ``scale`` the relevance that is
    explained of it (None: each row is its own sample), ``depth`` how many derivatives are taken of the relevance; only
    propagations that look at the network above ask for them. ``passage`` says where relevance of all samples is read or
    stopped, and ``gated`` holds the outputs there.
    """

    output: Tensor
    saved: dict[int, Any]
    first: int = 0
    target: Target | None = None
    samples: Tensor | None = None
    scale: Tensor | None = None
    depth: int = 0
    passage: Passage = NOWHERE
    gated: Mapping[int, Tensor] = field(default_factory=dict)

    def copy(self) -> "Sweep":
        """The same sweep for another relevance pass, which lets go of what was saved."""
        return replace(self, saved=dict(self.saved))


@dataclass(frozen=True, eq=False)
class Above:
    """The relevance of a layer's output as a function of the activations that the layers above it read.

    The decomposition above is recomputed at the given activations; what it returns can be differentiated ``depth`` times.
    """

    graph: Graph
    models: tuple[Propagation, ...]
    swept: Sweep
    position: int
    scale: Tensor  # (B,)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers of the network."""
        return self.graph.layers

    @cached_property
    def reads(self) -> frozenset[int]:
        """What the layers above read besides this layer's output."""
        return live(self.graph, self.position + 1) - {self.position}

    def same_region(self, values: Values, moved: Values, rows: Tensor, closed: bool) -> Tensor:
        """Whether moved activations stay in the linear region of the layers above; see :mod:`dtd.network.above`."""
        return same_region(self.graph, self.position + 1, values, moved, rows, closed)

    def explained(self, values: Values, rows: Tensor | None = None) -> Tensor:
        """What is explained of the output at activations, summed over outputs. # shape: (P, *) each, rows (P,) -> (P,)"""
        output = output_from(self.graph, self.position + 1, values)
        rows = torch.arange(len(output), device=output.device) if rows is None else rows
        return per_sample(initial_relevance(output, target_of(self.swept.target, rows)))

    def __call__(self, values: Values, rows: Tensor, depth: int) -> Tensor:
        """``rows`` says which row of the sweep each row stems from. # shape: (P, *) each, rows (P,) -> (P, *out)"""
        samples = rows if self.swept.samples is None else self.swept.samples[rows]
        passage = Passage(gates=self.swept.passage.gates)
        moved = sweep(self.graph, self.models, values, self.swept.target, self.position + 1, passage)
        moved = replace(moved, samples=samples, scale=self.scale[rows], depth=depth)
        initial = initial_relevance(moved.output, target_of(self.swept.target, samples))
        watch = Watch(passage.of_rows(samples))
        relevance = descend(self.graph, self.models, moved, initial, watch=watch)[0][self.position]
        return watch.arrive(self.position, relevance, values.get(self.position))


def check_models(layers: tuple[Layer, ...], models: tuple[Propagation, ...], batch: int) -> None:
    """Let the propagations that look beyond their layer refuse before any work."""
    for i, model in enumerate(models):
        if isinstance(model, Contextual):
            model.check(layers, models, i, batch)


def sweep(
    graph: Graph,
    models: tuple[Propagation, ...],
    values: Values,
    target: Target | None = None,
    first: int = 0,
    passage: Passage = NOWHERE,
) -> Sweep:
    """The forward sweep from what layers ``first`` and above read (for the first layer, the explained inputs)."""
    saved: dict[int, Any] = {}
    gated: dict[int, Tensor] = {}

    def forward(i: int, layer: Layer, inputs: tuple[Tensor, ...], held: Values) -> Tensor:
        output, kept = models[i].forward(layer, inputs)
        saved[i] = dict(held) if isinstance(models[i], Contextual) else kept
        if i in passage.apart:
            gated[i] = output
        return output

    output = graph.output_of(values, graph.ascend(values, first, forward))
    if not bool(output.isfinite().all()):
        raise NonFiniteError("The network's output is not finite on this input. Check the input's range and the weights.")
    return Sweep(output, saved, first, target, passage=passage, gated=gated)


def relevance_pass(
    graph: Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    values: Values,
    seen: Callable[[int, Tensor], None] | None = None,
    watch: Watch | None = None,
) -> tuple[dict[int, Tensor], dict[int, Balance]]:
    """Hand the initial relevance down to the explained inputs ``values``; ``seen(i, R)`` is told each output's relevance."""
    pending, balances = descend(graph, models, swept, initial, seen, watch)
    relevance = {j: pending.get(j, torch.zeros_like(x)) for j, x in values.items()}
    parts = [part for balance in balances.values() for part in balance.parts()]
    finite = all(bool(part.isfinite().all()) for part in relevance.values())
    if not (finite and (not parts or bool(torch.stack(parts).isfinite().all()))):
        raise NonFiniteError(overflow_message(graph.layers, balances))
    return relevance, balances


def descend(
    graph: Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    seen: Callable[[int, Tensor], None] | None = None,
    watch: Watch | None = None,
) -> tuple[dict[int, Tensor], dict[int, Balance]]:
    """Relevance of what the swept layers read, by layer index, and the layers' balances; ``watch`` notes and gates."""
    layers = graph.layers
    pending: dict[int, Tensor] = {graph.output: initial}
    balances: dict[int, Balance] = {}
    arrived: dict[int, Tensor] | None = {} if any(isinstance(model, Contextual) for model in models) else None
    for i in range(len(layers) - 1, swept.first - 1, -1):
        relevance = pending.pop(i)  # the trace keeps only layers that the output depends on
        if watch is not None:
            relevance = watch.arrive(i, relevance, swept.gated.get(i))
        if seen is not None:
            seen(i, relevance)
        model = models[i]
        if isinstance(model, Contextual):
            scale = per_sample(initial.abs()) if swept.scale is None else swept.scale
            above = Above(graph, models, swept, i, scale.detach().clone())
            context = Context(i, swept.saved.pop(i), dict(arrived or {}), above, swept.depth)
            lower, balances[i] = model.decompose(layers[i], context, relevance)
        else:
            lower, balances[i] = model.backward(layers[i], swept.saved.pop(i), relevance)
        if arrived is not None:
            arrived[i] = relevance
        if watch is not None and i in watch.passage.read:
            watch.inputs[i] = tuple(part.clone() for part in lower)
        for j, part in zip(layers[i].inputs, lower, strict=True):
            pending[j] = pending[j] + part if j in pending else part
    return pending, balances


def overflow_message(layers: tuple[Layer, ...], balances: Mapping[int, Balance]) -> str:
    """Where relevance first stopped being finite."""
    for i in range(len(layers) - 1, -1, -1):
        if not all(bool(part.isfinite().all()) for part in balances[i].parts()):
            return (
                f"Relevance overflows at layer '{layers[i].name}': its pre-activations are not finite, or a root lies "
                "so far away that its terms are not. Check the weights; use float64, a damping ε, or another rule there."
            )
    return "Relevance of the input is not finite."
