"""Tensors of rational numbers and symbols, on which the shipped tensor code of ``dtd`` runs as it is."""

from proofs.exactly.tensor import Exact, entries_of, made

__all__ = ["Exact", "entries_of", "made"]
