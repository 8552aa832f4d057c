"""An affine map whose weight can be replaced, and whose units can be looked at one by one."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import torch
from torch import Tensor

from dtd.affine.change import Change

Shape = tuple[int, ...]
Pass = Callable[[Tensor], Tensor]

KEPT = 2**20  # bytes of a weight whose modified copies are kept
FEW = 128  # places below which modifying a larger weight costs about as much as a pass with it


@dataclass(frozen=True, eq=False, kw_only=True)
class AffineMap(ABC):
    """``z = W a + b`` for a batch, in the two readings that a decomposition needs.

    Whole-layer passes with any weight of the same shape: :meth:`linear` ``(B, *in) -> (B, *out)`` and its adjoint
    :meth:`transpose` ``(B, *out) -> (B, *in)``, so that ``⟨s, linear(u, ρ)⟩ = ⟨transpose(s, ρ), u⟩`` for all u, s, ρ.

    Unit by unit: :meth:`receptive_field` says which inputs a flat output unit reads (−1: zero padding, which is no
    input), :meth:`rows` lays any weight-shaped tensor out along that field.
    """

    weight: Tensor
    bias: Tensor | None
    in_shape: Shape
    out_shape: Shape
    _modified: OrderedDict = field(default_factory=OrderedDict, repr=False)

    @abstractmethod
    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        """``Σ_j a_j w_kj`` with the given weight. # shape: (B, *in_shape) -> (B, *out_shape)"""

    @abstractmethod
    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        """``Σ_k w_kj s_k`` with the given weight. # shape: (B, *out_shape) -> (B, *in_shape)"""

    @abstractmethod
    def receptive_field(self, units: Tensor) -> Tensor:
        """Flat input index of each input of the given flat output units; −1 for padding. # shape: (k,) -> (k, J)"""

    @abstractmethod
    def rows(self, units: Tensor, weight: Tensor) -> Tensor:
        """The entries of a weight-shaped tensor along the receptive fields. # shape: (k,) -> (k, J)"""

    @abstractmethod
    def per_output(self, vector: Tensor) -> Tensor:
        """Bring a bias-shaped tensor into a shape that broadcasts to ``(B, *out_shape)``."""

    @property
    @abstractmethod
    def fan_in(self) -> int:
        """J: inputs in the largest receptive field."""

    @property
    @abstractmethod
    def bias_shape(self) -> Shape:
        """Shape that a bias has, whether or not there is one."""

    def apply(self, a: Tensor) -> Tensor:
        """Pre-activations ``z``. # shape: (B, *in_shape) -> (B, *out_shape)"""
        z = self.linear(a, self.weight)
        return z if self.bias is None else z + self.per_output(self.bias)

    @property
    def example(self) -> Tensor:
        """Zeros in the shape of one sample, without memory of their own. # shape: (1, *in_shape)"""
        return self.weight.new_zeros(()).expand(1, *self.in_shape)

    def raising(self, change: Change, dtype: torch.dtype | None = None) -> Pass:
        """:meth:`linear` with a modified weight, prepared; in another dtype where one is given."""
        weight = self.changed(change, dtype)
        if dtype is None:
            return lambda a: self.linear(a, weight(a))
        return lambda a: self.linear(a.to(dtype), weight(a)).to(a.dtype)

    def lowering(self, changes: Sequence[Change | None], dtype: torch.dtype | None = None) -> Callable:
        """:meth:`transpose` at one ``s`` with several modified weights (None: the weight itself), prepared.

        # shape: (B, *out_shape) -> a tuple of (B, *in_shape)
        """
        passes = [self.lowered(change, dtype) for change in changes]
        if len(passes) == 1:
            return lambda s: (passes[0](s),)
        return lambda s: tuple([through(s) for through in passes])

    def lowered(self, change: Change | None, dtype: torch.dtype | None) -> Pass:
        """:meth:`transpose` with one weight."""
        if change is None:
            return lambda s: self.transpose(s, self.weight)
        weight = self.changed(change, dtype)
        if dtype is None:
            return lambda s: self.transpose(s, weight(s))
        return lambda s: self.transpose(s.to(dtype), weight(s)).to(s.dtype)

    def changed(self, change: Change, dtype: torch.dtype | None) -> Callable[[Tensor], Tensor]:
        """A modified weight for a pass on the samples given.

        It is kept, unless it is large and used at so many places that making it anew costs little.
        """

        def kept() -> Tensor:
            return self.modified(lambda weight: change(weight, dtype), (change.key, dtype))

        if self.weight.nbytes <= KEPT:
            small = kept()
            return lambda _: small
        places = prod(self.out_shape) // prod(self.bias_shape)
        return lambda samples: kept() if len(samples) * places < FEW else change(self.weight, dtype)

    def modified(self, function: Callable[[Tensor], Tensor], key: Hashable, keep: int = 4) -> Tensor:
        """``function(weight)``, computed once for each ``key``; the ``keep`` most recent are kept."""
        if key in self._modified:
            self._modified.move_to_end(key)
        else:
            self._modified[key] = function(self.weight)
            while len(self._modified) > keep:
                self._modified.popitem(last=False)
        return self._modified[key]

    def scaled(self, scale: Tensor, shift: Tensor) -> "AffineMap":
        """The map followed by ``scale ⊙ z + shift`` per output channel (batch-norm folding). # shape: (C_out,)"""
        bias = shift if self.bias is None else scale * self.bias + shift
        return replace(self, weight=self.scale_rows(scale), bias=bias, _modified=OrderedDict())

    def scale_rows(self, scale: Tensor) -> Tensor:
        """The weight with every output channel multiplied by ``scale``. # shape: (C_out,)"""
        return self.weight * scale.view(-1, *[1] * (self.weight.ndim - 1))
