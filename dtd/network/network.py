"""A traced network: layers over the model's own parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dtd.domain import Domain
from dtd.errors import NonFiniteError
from dtd.network.graph import Graph, Reading
from dtd.network.state import Snapshot
from dtd.network.table import table
from dtd.propagation import Layer

Inputs = Tensor


@dataclass(eq=False)
class Network:
    """The layers of a model, in an order in which each comes after its inputs.

    The network reads the model's live parameters: when one changes (in place, by assignment, ``load_state_dict`` or
    ``to``), the layers are built anew at the next use. Writing through ``tensor.data`` is the one change that torch does
    not count; call :meth:`refresh` after it. The model is never written to. ``print(network)`` shows the layers.
    """

    domain: Domain  # of the input
    shape: tuple[int, ...]  # of one input sample
    model: nn.Module
    build: Callable[[Domain, dict[str, Tensor]], Graph]
    _built: tuple[Snapshot, Graph] | None = field(default=None, repr=False)

    @property
    def graph(self) -> Graph:
        """The layers over the parameters as they are now."""
        if self._built is None or not self._built[0].holds():
            tensors, state = self.tensors, Snapshot.of(self.model)
            for name, tensor in tensors.items():
                if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                    raise NonFiniteError(f"Weights must be finite; '{name}' holds NaN or infinity. Check the model.")
            with torch.no_grad():
                self._built = state, self.build(self.domain, tensors)
        return self._built[1]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The model's parameters and buffers as they are now, by name; tied ones under each of their names."""
        parameters = self.model.named_parameters(remove_duplicate=False)
        return {**dict(parameters), **dict(self.model.named_buffers(remove_duplicate=False))}

    def refresh(self) -> None:
        """Build the layers anew at the next use, whatever torch says about the parameters."""
        self._built = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, lowest first."""
        return self.graph.layers

    @property
    def output(self) -> int:
        """Index of the layer whose output is the network's."""
        return self.graph.output

    def __getitem__(self, name: str) -> Layer:
        """The layer with that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"No layer '{name}'; the layers are {', '.join(layer.name for layer in self.layers)}.")

    @property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights, lowest first: those a plan must speak for."""
        return self.graph.weighted

    def read(self, inputs: Inputs) -> Reading:
        """Inputs as the layers read them; raises for inputs that do not fit the network, see :meth:`Graph.check_input`."""
        graph = self.graph
        graph.check_input(inputs, self.shape)
        return Reading(graph, {-1: inputs})

    def take(self, inputs: Inputs, rows: slice) -> Inputs:
        """Some of the samples."""
        return inputs[rows]

    def named(self, values: Mapping[int, Tensor]) -> Tensor:
        """Values of the explained inputs in the structure that the inputs have."""
        return values[-1]

    def is_current(self, graph: Graph) -> bool:
        """Whether layers are still those of the model."""
        return self.graph is graph

    def __str__(self) -> str:
        return table(self.layers, self.domain, self.shape)
