"""The printed table of a network's layers."""

import pandas as pd

from dtd.propagation import Layer


def table(layers: tuple[Layer, ...], domain: object, shape: tuple[int, ...]) -> str:
    """One line for each layer: name, kind, inputs, shape of a sample, domain of what it receives and returns."""
    names = [layer.name for layer in layers]
    rows = [
        {
            "layer": layer.name + "".join(f" + {name}" for name in layer.folded),
            "kind": layer.kind,
            "from": ", ".join("input" if i < 0 else names[i] for i in layer.inputs),
            "shape": "×".join(map(str, layer.shape)),
            "receives": str(layer.domain),
            "returns": str(layer.image),
        }
        for layer in layers
    ]
    blank = dict.fromkeys(("layer", "kind", "from", "shape", "receives", "returns"), "")
    first = {**blank, "layer": "input", "shape": "×".join(map(str, shape)), "returns": str(domain)}
    return pd.DataFrame([first, *rows]).to_string(index=False, justify="left")
