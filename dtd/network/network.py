"""A traced network: layers over the model's own parameters."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dtd.domain import Domain
from dtd.errors import NonFiniteError
from dtd.network.graph import Graph
from dtd.network.state import State
from dtd.network.table import table
from dtd.propagation import Layer


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
    _built: tuple[State, Graph] | None = field(default=None, repr=False)

    @property
    def graph(self) -> Graph:
        """The layers over the parameters as they are now."""
        if self._built is None or not self._built[0].holds():
            tensors, state = self.tensors, State.of(self.model)
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

    def check_input(self, x: Tensor) -> None:
        """Raise for an input that does not fit the network; see :meth:`Graph.check_input`."""
        self.graph.check_input(x, self.shape)

    def __str__(self) -> str:
        return table(self.layers, self.domain, self.shape)
