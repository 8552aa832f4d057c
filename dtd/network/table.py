"""The printed table of a network's layers."""

from dtd.callers.printing import columns
from dtd.network.graph import Graph

HEAD = ("layer", "kind", "from", "shape", "receives", "returns")


def table(graph: Graph) -> str:
    """One line for each layer: name, kind, inputs, shape of a sample, domain of what it receives and returns."""
    names = [layer.name for layer in graph.layers]
    inputs = [(each.name, "input", "", across(each.shape), "", str(each.domain)) for each in graph.inputs]
    layers = [
        (
            layer.name + "".join(f" + {name}" for name in layer.folded),
            layer.kind,
            ", ".join(graph.inputs[-1 - i].name if i < 0 else names[i] for i in layer.inputs),
            across(layer.shape),
            str(layer.domain),
            str(layer.image),
        )
        for layer in graph.layers
    ]
    return columns([HEAD, *inputs, *layers])


def across(shape: tuple[int, ...]) -> str:
    """A shape, as people write it."""
    return "×".join(map(str, shape))


def shown_shape(shape: tuple[int, ...]) -> str:
    """A sample's shape with its batch axis."""
    return f"(B, {', '.join(map(str, shape))})" if shape else "(B,)"
