"""The explicit reading of a relevance model, root by root, in chunks of units that fit in memory."""

from collections.abc import Callable

import torch
from torch import Tensor

from dtd.domain import Domain
from dtd.propagation import Layer, Propagated, TaylorTerms, balance
from dtd.root.units import FieldUnits, chunks

Terms = Callable[[FieldUnits, Domain, Tensor], TaylorTerms]


def root_by_root(terms: Terms, layer: Layer, a: Tensor, relevance: Tensor, memory: int) -> Propagated:
    """``R_j = Σ_k first_kj`` and the balance, from the Taylor terms of the units that receive relevance.

    # shape: a (B, *in_shape), relevance (B, *out)
    """
    arrived = relevance.flatten(1)
    lower = torch.zeros_like(a)
    parts = {name: torch.zeros_like(arrived[:, 0]) for name in ("bias", "zeroth", "remainder")}
    receiving = arrived.any(0).nonzero().flatten()
    for units in chunks(layer.op, a, receiving, memory, layer.name):
        found = terms(units, layer.domain, arrived[:, units.index])
        lower += units.scatter(found.first)
        for name in parts:
            parts[name] = parts[name] + getattr(found, name).sum(1)
    return Propagated(layer.parted(lower), balance(relevance, (lower,), **parts))
