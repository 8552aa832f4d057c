"""Upper units on symbols: what a search, a relevance model and an explicit rule of ``dtd`` see of them in a proof.

Two layouts of one affine layer. :class:`FiniteMap`: numbers or symbols for each of J inputs and K units.
:class:`GenericMap`: an unspecified number of inputs (and of units), of which the arrays hold the generic entry ``w_kj``
and over which sums are ``Σ_{i=1}^J``. Shipped code runs on both, since it only uses what is defined here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from dtd.affine import AffineMap
from dtd.affine.base import Shape
from proofs.symbols import SymbolArray, array

J, K = sympy.symbols("J K", integer=True, positive=True)
i, j, k, l = sympy.symbols("i j k l", integer=True)  # noqa: E741 - i, l: bound; j, k: the generic input and unit


@dataclass(frozen=True, eq=False, kw_only=True)
class FiniteMap(AffineMap):
    """A dense layer whose entries are symbols or exact rationals. # shape: weight (K, J), bias (K,)"""

    weight: Any
    bias: Any

    def linear(self, a: Any, weight: Any) -> Any:
        return (a[:, None, :] * weight).sum(-1)

    def apply(self, a: Any) -> Any:
        """The pre-activations as entries, where the parent speaks of tensors. # shape: (B, J) -> (B, K)"""
        return super().apply(a)

    def transpose(self, s: Any, weight: Any) -> Any:
        return (s[:, :, None] * weight).sum(1)

    def receptive_field(self, units: Any) -> Any:
        return np.tile(np.arange(self.in_shape[0]), (len(units), 1))

    def rows(self, units: Any, weight: Any) -> Any:
        return weight[units]

    def per_output(self, vector: Any) -> Any:
        return vector

    @property
    def fan_in(self) -> int:
        return self.in_shape[0]

    @property
    def bias_shape(self) -> Shape:
        return self.out_shape

    def scale_rows(self, scale: Any) -> Any:
        return self.weight * scale[:, None]

    def total(self, terms):
        """``Σ_j``. # shape: (B, K, J) -> (B, K)"""
        return terms.sum(-1)

    def collect(self, terms):
        """``Σ_k``. # shape: (B, K, J) -> (B, J)"""
        return terms.sum(1)

    def count(self):
        """The number of inputs of each unit."""
        return array([sympy.Integer(self.in_shape[0])] * self.out_shape[0])


@dataclass(frozen=True, eq=False, kw_only=True)
class GenericMap:
    """A layer with J inputs, J unspecified: one array entry stands for every input (and unit) alike.

    With ``many`` the number K of units is unspecified too, and the expressions carry the unit's index k.
    # shape: weight (1, 1), bias (1,)
    """

    weight: SymbolArray
    bias: SymbolArray
    many: bool = False

    def _sum(self, terms, generic, bound, number):
        sums = np.frompyfunc(
            lambda term: sympy.Sum(sympy.sympify(term).xreplace({generic: bound}), (bound, 1, number)), 1, 1
        )
        return array(sums(terms))

    def total(self, terms):
        """``Σ_{i=1}^J`` of the generic term. # shape: (B, 1, 1) -> (B, 1)"""
        return self._sum(terms[..., 0], j, i, J)

    def collect(self, terms):
        """``Σ_{l=1}^K`` of the generic unit's terms. # shape: (B, 1, 1) -> (B, 1)"""
        return self._sum(terms[:, 0], k, l, K) if self.many else terms[:, 0]

    def linear(self, a, weight):
        return self.total(a[:, None, :] * weight)

    def transpose(self, s, weight):
        return self.collect(s[:, :, None] * weight)

    def apply(self, a):
        return self.linear(a, self.weight) + self.bias

    def per_output(self, vector):
        return vector

    def count(self):
        """The number of inputs of each unit."""
        return array([J])


@dataclass(frozen=True, eq=False)
class SymbolicUnits:
    """All units of a map at a point: the symbolic counterpart of :class:`dtd.units.FieldUnits`."""

    map: Any  # a FiniteMap or a GenericMap
    input: np.ndarray  # (1, J)

    @cached_property
    def activations(self):
        return self._lay_out(self.input[:, None, :])

    @cached_property
    def weights(self):
        return self.map.weight

    @cached_property
    def bias(self):
        return self.map.bias

    @cached_property
    def z(self):
        return self.map.apply(self.input)

    def _lay_out(self, value: Any) -> SymbolArray:
        return value * (self.map.weight * 0 + 1)

    def of_activations(self, function: Callable):
        value = function(self.input)
        return self._lay_out(value[:, None, :] if isinstance(value, np.ndarray) else value)

    def of_weights(self, function: Callable):
        return function(self.map.weight) * (self.map.weight * 0 + 1)

    def of_outputs(self, function: Callable):
        return function(self.z)

    def total(self, terms):
        return self.map.total(terms)

    def rounding(self, terms):
        return 0

    def inputs(self):
        return self.map.count()

    def spread(self, per_unit):
        return self._lay_out(per_unit[..., None])
