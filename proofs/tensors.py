"""The shipped tensor code at points where floating-point arithmetic is exact, and its results as rational numbers."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

import dtd

NOTHING_WEIGHTED = dtd.Plan([])


def tensor(values: Sequence) -> Tensor:
    """Rational numbers as float64, which must hold them exactly."""
    made = torch.tensor(np.array(values, dtype=float), dtype=torch.float64)
    if [Fraction(x) for x in made.flatten().tolist()] != [Fraction(x) for x in np.array(values, dtype=object).flat]:
        raise ValueError(f"float64 does not hold {values} exactly; choose numbers with a power of 2 below the line.")
    return made


def fractions(values: Tensor) -> np.ndarray:
    """The rational numbers that float64 values are."""
    return np.array([Fraction(x) for x in values.detach().flatten().tolist()], dtype=object).reshape(tuple(values.shape))


class Function(nn.Module):
    """A function as a module, to be traced."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def explained(module: nn.Module, x: Sequence, relevance: Sequence, plan: dtd.Plan = NOTHING_WEIGHTED) -> np.ndarray:
    """Relevance of the input, by ``dtd.trace`` and ``dtd.explain``. # shape: that of x"""
    at = tensor(x)
    found = dtd.explain(dtd.trace(module.double().eval(), at), at, tensor(relevance), plan).relevance
    if not isinstance(found, Tensor):
        raise TypeError(f"The module must have one input; found {len(found)}.")
    return fractions(found)
