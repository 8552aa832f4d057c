"""The part of a network below one of its layers, with that layer's output as its own."""

from dataclasses import dataclass, replace

from dtd.network.graph import Graph, Reading
from dtd.propagation import Propagation


@dataclass(frozen=True, eq=False)
class Below:
    """What a hidden layer is computed by.

    ``whole`` has all layers of the network, the one in question no longer marked as going through a ReLU (as a network's
    output it goes nowhere): what a plan is bound to, so that positions and depths keep their meaning. ``graph`` has the
    layers ``indices`` of it, and the hidden layer's output as its output.
    """

    whole: Graph
    graph: Graph
    indices: tuple[int, ...]

    def models(self, models: tuple[Propagation, ...]) -> tuple[Propagation, ...]:
        """The propagations of the part, of those of the whole."""
        return self.graph.plans.get((models, self), lambda: tuple(models[i] for i in self.indices))

    def read(self, reading: Reading) -> Reading:
        """The part at the inputs and side values of a reading of the whole."""
        if not reading.graph.sides:
            return Reading(self.graph, reading.values)
        layers = (reading.graph.layers[i] for i in self.indices)
        ours = tuple(
            replace(layer, op=there.op) if layer.sides else layer
            for layer, there in zip(self.graph.layers, layers, strict=True)
        )
        return Reading(replace(self.graph, layers=ours, of_one=self.graph), reading.values)


def below(graph: Graph, position: int) -> Below:
    """The part below the layer at a position, found once for a graph."""
    base = graph.base
    return base.parts.get((base.layers[position],), lambda: cut_below(base, position))


def cut_below(graph: Graph, position: int) -> Below:
    """The same, made anew."""
    layers = list(graph.layers)
    layers[position] = replace(layers[position], rectified=False)
    kept, pending = set(), [position]
    while pending:
        i = pending.pop()
        if i >= 0 and i not in kept:
            kept.add(i)
            pending += layers[i].inputs
    indices = tuple(sorted(kept))
    places = {i: place for place, i in enumerate(indices)}
    ours = tuple(replace(layers[i], inputs=tuple(places.get(j, j) for j in layers[i].inputs)) for i in indices)
    part = Graph(ours, places[position], graph.inputs, graph.like, part_of=graph)
    return Below(Graph(tuple(layers), graph.output, graph.inputs, graph.like, part_of=graph), part, indices)
