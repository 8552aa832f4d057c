"""The pass that adds everything up: what each layer saved, handed down and kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from dtd.errors import NonFiniteError, StaleError
from dtd.network.above import Values, live, output_from, same_region
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.network.state import version
from dtd.propagation import Context, Contextual, Layer, Propagation
from dtd.target import Target, initial_relevance, target_of
from dtd.taylor import Balance


@dataclass(frozen=True, eq=False)
class Record:
    """What happened at one layer."""

    layer: Layer
    model: Propagation
    balance: Balance


class Records(Protocol):
    """Where an explanation finds what happened at each layer."""

    def records(self) -> Mapping[str, Record]:
        """By name."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished forward sweep from layer ``first`` on: the output, and what each layer saved for the relevance pass.

    ``target`` is what is explained, ``samples`` the sample that each row belongs to and ``scale`` the relevance that is
    explained of it (None: each row is its own sample), ``depth`` how many derivatives are taken of the relevance; only
    propagations that look at the network above ask for them.
    """

    output: Tensor
    saved: dict[int, Any]
    first: int = 0
    target: Target | None = None
    samples: Tensor | None = None
    scale: Tensor | None = None
    depth: int = 0


@dataclass(frozen=True, eq=False)
class Above:
    """The relevance of a layer's output as a function of the activations that the layers above it read.

    The decomposition above is recomputed at the given activations; what it returns can be differentiated ``depth`` times.
    """

    network: Network | Graph
    models: tuple[Propagation, ...]
    swept: Sweep
    position: int
    scale: Tensor  # (B,)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers of the network."""
        return self.network.layers

    @cached_property
    def reads(self) -> frozenset[int]:
        """What the layers above read besides this layer's output."""
        return live(self.network, self.position + 1) - {self.position}

    def same_region(self, values: Values, moved: Values, rows: Tensor, closed: bool) -> Tensor:
        """Whether moved activations stay in the linear region of the layers above; see :mod:`dtd.network.above`."""
        return same_region(self.network, self.position + 1, values, moved, rows, closed)

    def explained(self, values: Values, rows: Tensor | None = None) -> Tensor:
        """What is explained of the output at activations, summed over outputs. # shape: (P, *) each, rows (P,) -> (P,)"""
        output = output_from(self.network, self.position + 1, values)
        rows = torch.arange(len(output), device=output.device) if rows is None else rows
        return initial_relevance(output, target_of(self.swept.target, rows)).flatten(1).sum(1)

    def __call__(self, values: Values, rows: Tensor, depth: int) -> Tensor:
        """``rows`` says which row of the sweep each row stems from. # shape: (P, *) each, rows (P,) -> (P, *out)"""
        samples = rows if self.swept.samples is None else self.swept.samples[rows]
        moved = sweep(self.network, self.models, values, self.swept.target, self.position + 1)
        moved = replace(moved, samples=samples, scale=self.scale[rows], depth=depth)
        initial = initial_relevance(moved.output, target_of(self.swept.target, samples))
        return descend(self.network, self.models, moved, initial)[0][self.position]


def check_models(layers: tuple[Layer, ...], models: tuple[Propagation, ...], batch: int) -> None:
    """Let the propagations that look beyond their layer refuse before any work."""
    for i, model in enumerate(models):
        if isinstance(model, Contextual):
            model.check(layers, models, i, batch)


def sweep(
    network: Network | Graph,
    models: tuple[Propagation, ...],
    x: Tensor | Values,
    target: Target | None = None,
    first: int = 0,
) -> Sweep:
    """The forward sweep, from the input or from what layers ``first`` and above read; values are let go after their last
    use."""
    layers, output = network.layers, network.output
    last_use = {index: i for i, layer in enumerate(layers) for index in layer.inputs}
    values, saved = {-1: x} if isinstance(x, Tensor) else dict(x), {}
    for i in range(first, len(layers)):
        layer = layers[i]
        inputs = tuple(values[j] for j in layer.inputs)
        kept = dict(values) if isinstance(models[i], Contextual) else None
        values[i], saved[i] = models[i].forward(layer, inputs)
        saved[i] = saved[i] if kept is None else kept
        for j in {j for j in layer.inputs if last_use[j] == i and j != output}:
            del values[j]
    if not bool(values[output].isfinite().all()):
        raise NonFiniteError("The network's output is not finite on this input. Check the input's range and the weights.")
    return Sweep(values[output], saved, first, target)


def relevance_pass(
    network: Network | Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    x: Tensor,
    seen: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, dict[int, Balance]]:
    """Hand the initial relevance down to the input; ``seen(i, R)`` is told the relevance of each layer's output."""
    pending, balances = descend(network, models, swept, initial, seen)
    relevance = pending.get(-1, torch.zeros_like(x))
    parts = [part for balance in balances.values() for part in balance.parts()]
    if not bool(relevance.isfinite().all() and (torch.stack(parts).isfinite().all() if parts else True)):
        raise NonFiniteError(overflow_message(network.layers, balances))
    return relevance, balances


def descend(
    network: Network | Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    seen: Callable[[int, Tensor], None] | None = None,
) -> tuple[dict[int, Tensor], dict[int, Balance]]:
    """Relevance of what the swept layers read, by layer index, and the layers' balances."""
    layers = network.layers
    pending: dict[int, Tensor] = {network.output: initial}
    balances: dict[int, Balance] = {}
    arrived: dict[int, Tensor] | None = {} if any(isinstance(model, Contextual) for model in models) else None
    for i in range(len(layers) - 1, swept.first - 1, -1):
        relevance = pending.pop(i)  # the trace keeps only layers that the output depends on
        if seen is not None:
            seen(i, relevance)
        if isinstance(models[i], Contextual):
            scale = initial.abs().flatten(1).sum(1) if swept.scale is None else swept.scale
            above = Above(network, models, swept, i, scale.detach())
            context = Context(i, swept.saved.pop(i), dict(arrived), above, swept.depth)
            lower, balances[i] = models[i].decompose(layers[i], context, relevance)
        else:
            lower, balances[i] = models[i].backward(layers[i], swept.saved.pop(i), relevance)
        if arrived is not None:
            arrived[i] = relevance
        for j, part in zip(layers[i].inputs, lower, strict=True):
            pending[j] = pending[j] + part if j in pending else part
    return pending, balances


def overflow_message(layers: tuple[Layer, ...], balances: dict[int, Balance]) -> str:
    """Where relevance first stopped being finite."""
    for i in range(len(layers) - 1, -1, -1):
        if not all(bool(part.isfinite().all()) for part in balances[i].parts()):
            return (
                f"Relevance overflows at layer '{layers[i].name}': its pre-activations are not finite, or a root lies "
                "so far away that its terms are not. Check the weights; use float64, a damping ε, or another rule there."
            )
    return "Relevance of the input is not finite."


class Reference(NamedTuple):
    """An explanation's inputs, for the pass that also finds the balance of every layer."""

    network: Network
    graph: Graph
    models: tuple[Propagation, ...]
    x: Tensor
    version: int  # of x
    initial: Tensor
    target: Target | None = None
    done: tuple[Tensor, dict[int, Balance]] | None = None  # what the pass found, where it was run already

    @torch.no_grad()
    def run(self) -> tuple[Tensor, dict[int, Balance]]:
        """Relevance of the input, and the balances by layer."""
        if self.network.graph is not self.graph or version(self.x) != self.version:
            raise StaleError(
                "The balances are found when first asked for; since this explanation was made its input or the model's "
                "parameters have changed. Explain again, and read 'layers' before changing them."
            )
        return self.done or self.descend(sweep(self.graph, self.models, self.x, self.target))

    def descend(self, swept: Sweep) -> tuple[Tensor, dict[int, Balance]]:
        """The relevance pass after a sweep."""
        return relevance_pass(self.graph, self.models, swept, self.initial, self.x)

    def records(self) -> Mapping[str, Record]:
        """What happened at each layer, by name."""
        _, balances = self.run()
        layers = zip(self.graph.layers, self.models, strict=True)
        return {layer.name: Record(layer, model, balances[i]) for i, (layer, model) in enumerate(layers)}
