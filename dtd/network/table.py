"""The table of a network's layers."""

from dtd.callers.printing import columns
from dtd.network.graph import Graph

HEAD = ("layer", "kind", "from", "shape", "receives", "returns")


def table_rows(graph: Graph) -> list[tuple[str, ...]]:
    """A head, and a row for each input and layer: name, kind, inputs, shape of a sample, domains received and returned."""
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
    return [HEAD, *inputs, *layers]


def table(graph: Graph) -> str:
    """The rows as text."""
    return columns(table_rows(graph))


def across(shape: tuple[int, ...]) -> str:
    """A shape, as people write it."""
    return "×".join(map(str, shape))


def shown_shape(shape: tuple[int, ...]) -> str:
    """A sample's shape with its batch axis."""
    return f"(B, {', '.join(map(str, shape))})" if shape else "(B,)"
