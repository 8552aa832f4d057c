"""What each block of a network keeps back of the relevance: the bias, zeroth and remainder terms of its layers, by part."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from dtd.explaining.explanation import Explanation

BLOCK = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)(?:\.|$)")
PARTS = {
    "softmax": "softmax",
    "matmul": "products",
    "product": "products",
    "layer_norm": "norms",
    "rms_norm": "norms",
    "norm": "norms",
    "shift": "positions and constants",
    "dense": "dense layers",
}
OTHER = "activations and sums"
TERMS = ("bias", "zeroth", "remainder")
BEFORE, BEHIND = "before", "behind"  # the first and the last block: embeddings and head


def kept_back(found: Explanation) -> pd.DataFrame:
    """One row for each block and part of an explanation, as shares of what is explained, over all samples.

    Columns: ``block``, ``part``, ``bias``, ``zeroth``, ``remainder``, and ``kept``, their sum. The values of all rows and
    the share that arrives at the inputs (:func:`arrived`) add up to 1.
    """
    explained = found.initial.double().sum().item()
    numbers = numbered(list(found.layers))
    rows = []
    for name, record in found.layers.items():
        values = {term: getattr(record.balance, term).double().sum().item() / explained for term in TERMS}
        rows.append({"block": numbers[name], "part": PARTS.get(record.layer.kind, OTHER), **values})
    table = pd.DataFrame(rows).groupby(["block", "part"], sort=False, as_index=False).sum()
    return table.assign(kept=table[list(TERMS)].sum(axis=1))


def numbered(names: Sequence[str]) -> Mapping[str, str]:
    """The block of each layer: the number in its path; those in front of the first block and behind the last by a word."""
    of = {name: match.group(1) for name in names if (match := BLOCK.search(name))}
    inside = [place for place, name in enumerate(names) if name in of]
    first = inside[0] if inside else len(names)
    return {name: of.get(name, BEFORE if place < first else BEHIND) for place, name in enumerate(names)}


def arrived(found: Explanation) -> float:
    """The share of what is explained that arrives at the inputs, over all samples."""
    return sum(part.double().sum().item() for part in found.parts) / found.initial.double().sum().item()
