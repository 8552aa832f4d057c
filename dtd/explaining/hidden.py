"""Where in a network relevance is read, and through which parts of it it goes: from names to layers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple, TypeGuard

import torch
from torch import Tensor

from dtd.callers.printing import shown
from dtd.errors import InputError, NonFiniteError
from dtd.explaining.starts.contrast import Contrast
from dtd.explaining.starts.several import Contrasts
from dtd.explaining.starts.unit import Index, Unit, layer_index, listed_layers, one_hot
from dtd.network.axes import channel_axis
from dtd.network.graph import Graph
from dtd.plans.selection import Where
from dtd.relevance.gate import Gate, Mask, Subspace
from dtd.relevance.passage import NOWHERE, Passage

At = Iterable["str | Where"]
Start = Unit | Contrasts
ThroughLayers = Mapping[str, "Tensor | Subspace | Unit | Index"]


class Places(NamedTuple):
    """What is asked of hidden layers: where relevance is read, what it goes through, and where it starts."""

    at: At = ()
    through: ThroughLayers = MappingProxyType({})
    start: Start | None = None  # what is explained in place of the output

    def passage(self, graph: Graph, batch: int) -> Passage:
        """The same by layer index; masks with an axis for samples are those of ``batch``."""
        if not self.at and not self.through:
            return NOWHERE
        if isinstance(self.at, (str, Where)) or not isinstance(self.at, Iterable):
            raise InputError(f"'at' is a list of layers' names and of selectors of dtd.where; found {shown(self.at)}.")
        if not isinstance(self.through, Mapping):
            raise InputError(f"'through' maps layers' names to what relevance goes through; found {shown(self.through)}.")
        read = frozenset(i for each in self.at for i in chosen_layers(graph, each))
        gates = {layer_index(graph, name): gate for name, gate in self.through.items()}
        return Passage(read, {i: placed(graph, i, gate, batch) for i, gate in gates.items()})


def start_of(targets: Collection[object]) -> Start | None:
    """What targets are explained from, the same for all: None is the network's output.

    Raises :class:`InputError` for targets of several layers, and for contrasts or units beside other targets.
    """
    contrasts = [target for target in targets if isinstance(target, Contrast)]
    units = {target.layer: target for target in targets if isinstance(target, Unit)}
    if contrasts and len(contrasts) == len(targets):
        return Contrasts.of(contrasts)
    if contrasts or len(units) > 1 or (units and not all(map(is_start, targets))):
        raise InputError(
            "Targets of one sweep are all of the output, all units of one layer, or all contrasts; found several. Call "
            "dtd.explain for each."
        )
    return next(iter(units.values()), None)


def is_start(target: object) -> TypeGuard[Unit | Contrast]:
    """Whether a target is explained from other layers than the network's own output."""
    return isinstance(target, (Unit, Contrast))


def chosen_layers(graph: Graph, where: "str | Where") -> list[int]:
    """The layers that a name, a glob over names or a selector speaks for."""
    if isinstance(where, Where):
        found = [i for i, layer in enumerate(graph.layers) if where.matches(layer, graph)]
        if not found:
            raise InputError(f"'at' names {where!r}, which matches no layer. {listed_layers(graph)}")
        return found
    if isinstance(where, str) and any(sign in where for sign in "*?["):
        found = [i for i, layer in enumerate(graph.layers) if fnmatchcase(layer.name, where)]
        return found or [layer_index(graph, where)]
    return [layer_index(graph, where)]


def placed(graph: Graph, i: int, given: "Tensor | Subspace | Unit | Index", batch: int) -> Gate:
    """What relevance goes through at the output of layer i."""
    layer = graph.layers[i]
    if isinstance(given, Unit):
        if layer_index(graph, given.layer) != i:
            raise InputError(f"'through' at layer '{layer.name}' is a unit of layer '{given.layer}'.")
        return Mask(given.at(graph, i).weights[None])
    if isinstance(given, Subspace):
        return in_place(graph, i, given)
    if isinstance(given, Tensor) and (given.ndim or given.dtype == torch.bool):
        return mask(layer.name, layer.shape, given, batch, graph.like)
    if isinstance(given, (int, list, tuple, range)):
        return Mask(Unit(layer.name, channel=checked_channels(graph, i, given)).at(graph, i).weights[None])
    raise InputError(
        f"'through' at layer '{layer.name}' must be a mask or weights (a tensor broadcasting to {(batch, *layer.shape)}), "
        f"channels (an integer or several), a dtd.Unit of it, or a dtd.Subspace; found {shown(given)}."
    )


def checked_channels(graph: Graph, i: int, given: Index) -> Index:
    """Channels of layer i; raises :class:`InputError` for others."""
    layer = graph.layers[i]
    size = layer.shape[channel_axis(graph, i)] if layer.shape else 0
    one_hot(given, size, f"channel of layer '{layer.name}'", graph.like)
    return given if isinstance(given, int) else tuple(given)


def mask(name: str, shape: tuple[int, ...], given: Tensor, batch: int, like: Tensor) -> Mask:
    """Weights of a layer's output entries."""
    full = (batch, *shape)
    try:
        fits = torch.broadcast_shapes(given.shape, full) == full
    except RuntimeError:
        fits = False
    if not fits:
        raise InputError(
            f"'through' at layer '{name}' must broadcast to {full}, like (C, 1, 1) for channels of images; found shape "
            f"{tuple(given.shape)}."
        )
    if not bool(given.isfinite().all()):
        raise NonFiniteError(f"'through' at layer '{name}' must be finite; found NaN or infinity.")
    lines = (1,) * (len(full) - given.ndim)
    return Mask(given.detach().to(like).reshape(*lines, *given.shape))


def in_place(graph: Graph, i: int, gate: Subspace) -> Subspace:
    """A subspace on the channel axis of layer i."""
    layer = graph.layers[i]
    axis = channel_axis(graph, i) if gate.axis is None else gate.axis
    if not -len(layer.shape) <= axis < len(layer.shape) or layer.shape[axis] != len(gate.matrix):
        raise InputError(
            f"The subspace at layer '{layer.name}' has {len(gate.matrix)} channels; axis {axis} of its output "
            f"{layer.shape} does not. Give dtd.Subspace(matrix, axis=...)."
        )
    return replace(gate, matrix=gate.matrix.to(graph.like), axis=axis % len(layer.shape))
