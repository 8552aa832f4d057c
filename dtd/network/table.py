"""The printed table of a network's layers."""

import pandas as pd

from dtd.network.graph import Graph


def table(graph: Graph) -> str:
    """One line for each layer: name, kind, inputs, shape of a sample, domain of what it receives and returns."""
    names = [layer.name for layer in graph.layers]
    rows = [
        {
            "layer": layer.name + "".join(f" + {name}" for name in layer.folded),
            "kind": layer.kind,
            "from": ", ".join(graph.inputs[-1 - i].name if i < 0 else names[i] for i in layer.inputs),
            "shape": "×".join(map(str, layer.shape)),
            "receives": str(layer.domain),
            "returns": str(layer.image),
        }
        for layer in graph.layers
    ]
    blank = dict.fromkeys(("layer", "kind", "from", "shape", "receives", "returns"), "")
    first = [
        {**blank, "layer": each.name, "shape": "×".join(map(str, each.shape)), "returns": str(each.domain)}
        for each in graph.inputs
    ]
    return pd.DataFrame([*first, *rows]).to_string(index=False, justify="left")
