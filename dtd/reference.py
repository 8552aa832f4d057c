"""The pass that adds everything up: what each layer saved, handed down and kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.errors import NonFiniteError, StaleError
from dtd.network.graph import Graph
from dtd.network.network import Network
from dtd.network.state import version
from dtd.propagation import Layer, Propagation
from dtd.taylor import Balance


@dataclass(frozen=True, eq=False)
class Record:
    """What happened at one layer."""

    layer: Layer
    model: Propagation
    balance: Balance


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished forward sweep: the output, and what each layer saved for the relevance pass."""

    output: Tensor
    saved: list


def sweep(network: Network | Graph, models: tuple[Propagation, ...], x: Tensor) -> Sweep:
    """The forward sweep; values are let go after their last use."""
    layers, output = network.layers, network.output
    last_use = {index: i for i, layer in enumerate(layers) for index in layer.inputs}
    values, saved = {-1: x}, []
    for i, (layer, model) in enumerate(zip(layers, models, strict=True)):
        values[i], keep = model.forward(layer, tuple(values[j] for j in layer.inputs))
        saved.append(keep)
        for j in {j for j in layer.inputs if last_use[j] == i and j != output}:
            del values[j]
    if not bool(values[output].isfinite().all()):
        raise NonFiniteError("The network's output is not finite on this input. Check the input's range and the weights.")
    return Sweep(values[output], saved)


def relevance_pass(
    network: Network | Graph,
    models: tuple[Propagation, ...],
    swept: Sweep,
    initial: Tensor,
    x: Tensor,
    seen: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, dict[int, Balance]]:
    """Hand the initial relevance down; ``seen(i, R)`` is told the relevance of each layer's output."""
    layers = network.layers
    pending: dict[int, Tensor] = {network.output: initial}
    balances: dict[int, Balance] = {}
    for i in range(len(layers) - 1, -1, -1):
        relevance = pending.pop(i)  # the trace keeps only layers that the output depends on
        if seen is not None:
            seen(i, relevance)
        lower, balances[i] = models[i].backward(layers[i], swept.saved[i], relevance)
        swept.saved[i] = None
        for j, part in zip(layers[i].inputs, lower, strict=True):
            pending[j] = pending[j] + part if j in pending else part
    relevance = pending.get(-1, torch.zeros_like(x))
    parts = [part for balance in balances.values() for part in balance.parts()]
    if not bool(relevance.isfinite().all() and (torch.stack(parts).isfinite().all() if parts else True)):
        raise NonFiniteError(overflow_message(layers, balances))
    return relevance, balances


def overflow_message(layers: tuple[Layer, ...], balances: dict[int, Balance]) -> str:
    """Where relevance first stopped being finite."""
    for i in range(len(layers) - 1, -1, -1):
        if not all(bool(part.isfinite().all()) for part in balances[i].parts()):
            return (
                f"Relevance overflows at layer '{layers[i].name}': its pre-activations are not finite, or a root lies "
                "so far away that its terms are not. Check the weights; use float64, a damping ε, or another rule there."
            )
    return "Relevance of the input is not finite."


@dataclass(frozen=True, eq=False)
class Reference:
    """An explanation's inputs, for the pass that also finds the balance of every layer."""

    network: Network
    graph: Graph
    models: tuple[Propagation, ...]
    x: Tensor
    version: int  # of x
    initial: Tensor

    @torch.no_grad()
    def run(self) -> tuple[Tensor, dict[int, Balance]]:
        """Relevance of the input, and the balances by layer."""
        if self.network.graph is not self.graph or version(self.x) != self.version:
            raise StaleError(
                "The balances are found when first asked for; since this explanation was made its input or the model's "
                "parameters have changed. Explain again, and read 'layers' before changing them."
            )
        swept = sweep(self.graph, self.models, self.x)
        return relevance_pass(self.graph, self.models, swept, self.initial, self.x)

    def records(self) -> Mapping[str, Record]:
        """What happened at each layer, by name."""
        _, balances = self.run()
        layers = zip(self.graph.layers, self.models, strict=True)
        return {layer.name: Record(layer, model, balances[i]) for i, (layer, model) in enumerate(layers)}
