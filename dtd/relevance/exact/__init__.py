"""The exact relevance model: the true function, recomputed at the moved activations."""

from dtd.relevance.exact.expansion import Expansion
from dtd.relevance.exact.model import Exact

__all__ = ["Exact", "Expansion"]
