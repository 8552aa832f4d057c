"""Tensors of symbols: what a shipped propagation of ``dtd`` computes with, entry by entry or for any number of entries.

A propagation is written with tensors' methods and a few functions of torch. An :class:`Entries` array has those methods on
symbols. Along a *generic* axis one array entry stands for every entry alike, with the index j, and sums are
``Σ_{i=1}^J``, so that what is shown holds for every number of entries.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
import torch

from proofs.symbols import SymbolArray
from proofs.units import J, i, j


class Entries(SymbolArray):
    """An object array with a tensor's methods. ``generic``: the axis (from the end) that stands for any number."""

    generic: int | None = None

    def __array_finalize__(self, made_from):
        self.generic = getattr(made_from, "generic", None)

    @classmethod
    def __torch_function__(cls, function: Callable, types: Any, args: tuple = (), kwargs: Mapping | None = None):
        return FUNCTIONS[function](*args, **(kwargs or {}))

    def __mul__(self, other):
        return super().__mul__(exactly(other))

    def __rmul__(self, other):
        return super().__rmul__(exactly(other))

    def __sub__(self, other):
        return super().__sub__(exactly(other))

    def sum(self, axis: Any = None, keepdim: bool = False, dim: Any = None):  # type: ignore[override] # as torch has it
        """``Σ`` over axes; over the generic one, ``Σ_{i=1}^J``."""
        axes = axis if dim is None else dim
        found: Any = self
        generic = self.generic
        for k in sorted({a % self.ndim - self.ndim for a in ((axes,) if isinstance(axes, int) else axes)}):
            if k == generic:
                found = _over_entries(found)
            found = of(np.add.reduce(np.asarray(found, dtype=object), axis=k, keepdims=True), generic)
        if keepdim:
            return found
        summed = {a % self.ndim for a in np.atleast_1d(axes)}
        kept = tuple(k for k in range(self.ndim) if k not in summed)
        left = None if generic is None or generic % self.ndim in summed else kept.index(generic % self.ndim) - len(kept)
        return of(np.asarray(found).reshape([self.shape[k] for k in kept]), left)

    def mean(self, axis: Any, keepdim: bool = False):  # type: ignore[override] # as torch has it
        """``Σ / J``."""
        return self.sum(axis, keepdim) / self.count(axis)

    def count(self, axis: Any):
        """How many entries there are along axes."""
        axes = {a % self.ndim - self.ndim for a in np.atleast_1d(axis)}
        return sympy.Mul(*(J if k == self.generic else sympy.Integer(self.shape[k]) for k in axes))

    @property
    def mT(self):  # noqa: N802 - torch's name
        return of(np.swapaxes(np.asarray(self), -1, -2), {None: None, -1: -2, -2: -1}[self.generic])

    def __matmul__(self, other: Any) -> Any:
        parts = of(
            np.asarray(self)[..., :, :, None] * np.asarray(other)[..., None, :, :], -2 if self.generic == -1 else None
        )
        rows, columns = self.generic == -2, other.generic == -1
        return of(np.asarray(parts.sum(-2)), -2 if rows else -1 if columns else None)


def _over_entries(values: Entries) -> np.ndarray:
    return np.frompyfunc(lambda x: sympy.Sum(sympy.sympify(x).xreplace({j: i}), (i, 1, J)), 1, 1)(np.asarray(values))


def of(values: Any, generic: int | None = None) -> Any:
    """Values as a tensor of symbols, or of one generic entry along an axis."""
    made = np.array(values, dtype=object).view(Entries)
    made.generic = generic
    return made


def exactly(value: Any) -> Any:
    """A number that a propagation holds, such as a share of 0.5, as the rational number that it is."""
    return sympy.Rational(*value.as_integer_ratio()) if isinstance(value, float) else value


def zeros(values: Entries) -> Entries:
    """``torch.zeros_like``."""
    return of(0 * np.asarray(values), values.generic)


FUNCTIONS: dict[Callable, Callable] = {torch.zeros_like: zeros, torch.add: np.add}


def unchecked(kind: type, **fields: Any) -> Any:
    """A propagation with symbols as parameters, which its check of numbers cannot judge: the proof says what they are."""
    made: Any = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made
