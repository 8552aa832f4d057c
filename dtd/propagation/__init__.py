"""What a layer computes, how relevance passes it, and the Taylor terms and the balance of what it hands down."""

from dtd.propagation.layer import (
    Context,
    Contextual,
    Layer,
    Op,
    Operation,
    Propagated,
    Propagation,
    Upper,
    balance,
    per_sample,
)
from dtd.propagation.taylor import PARTS, Balance, TaylorTerms

__all__ = [
    "PARTS",
    "Balance",
    "Context",
    "Contextual",
    "Layer",
    "Op",
    "Operation",
    "Propagated",
    "Propagation",
    "TaylorTerms",
    "Upper",
    "balance",
    "per_sample",
]
