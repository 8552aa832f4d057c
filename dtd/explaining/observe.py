"""One explanation by definition, with everything that it came by."""

from typing import NamedTuple

from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.explaining.shapes import check_shapes
from dtd.explaining.sweep import Above, Sweep, check_models, relevance_pass, sweep
from dtd.explaining.target import Target, initial_relevance
from dtd.network.graph import Graph, Reading
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan, check_asked
from dtd.propagation import Balance, Context, Propagation, per_sample


class Observed(NamedTuple):
    """A forward sweep, and the relevance of every layer's output, each by layer index."""

    graph: Graph
    models: tuple[Propagation, ...]
    values: dict[int, Tensor]  # the explained inputs
    swept: Sweep  # with what each layer saved
    initial: Tensor
    arrived: dict[int, Tensor]  # relevance of each layer's output
    relevance: dict[int, Tensor]  # of the explained inputs
    balances: dict[int, Balance]

    @property
    def of_values(self) -> dict[int, Tensor]:
        """Relevance of the layers' outputs and of the explained inputs."""
        return {**self.arrived, **self.relevance}

    def context(self, position: int) -> Context:
        """What the relevance of a layer may depend on beyond the layer, for one whose model looks there."""
        above = Above(self.graph, self.models, self.swept, position, per_sample(self.initial.abs()))
        return Context(position, self.swept.saved[position], self.arrived, above)


def observe(network: Network, inputs: Inputs, target: Target, plan: Plan) -> Observed:
    """The explanation of ``inputs`` by definition; arguments and errors are those of :func:`dtd.explain`."""
    check_asked(network, plan)
    reading = network.read(inputs)
    return observe_models(reading, plan.bind(reading.graph), target)


@own_arithmetic()
def observe_models(reading: Reading, models: tuple[Propagation, ...], target: Target) -> Observed:
    """The same for the propagation of every layer."""
    graph, values = reading
    check_shapes(graph, models, reading.batch)
    check_models(graph.layers, models, reading.batch)
    swept = sweep(graph, models, values, target)
    initial = initial_relevance(swept.output, target)
    arrived: dict[int, Tensor] = {}
    consumed = swept.copy()
    relevance, balances = relevance_pass(graph, models, consumed, initial, values, arrived.__setitem__)
    return Observed(graph, models, values, swept, initial, arrived, relevance, balances)
