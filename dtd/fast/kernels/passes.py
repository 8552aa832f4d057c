"""The passes of one affine map: with its own weight and with modified ones, prepared."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.fast.kernels.change import Change

Pass = Callable[[Tensor], Tensor]

KEPT = 2**20  # bytes of a weight whose modified copies are kept
FEW = 128  # places below which modifying a larger weight costs about as much as a pass with it
COPIES = 4  # modified copies of one weight that are kept at most


@dataclass(frozen=True, eq=False)
class Passes:
    """An affine map, with the quickest known way to compute it where no derivative is taken.

    :meth:`apply`, :meth:`linear` and :meth:`transpose` are those of the map. Subclasses compute some of them in another way.
    """

    affine: AffineMap
    _modified: OrderedDict = field(default_factory=OrderedDict, repr=False)

    def apply(self, a: Tensor) -> Tensor:
        """Pre-activations ``z``. # shape: (B, *in_shape) -> (B, *out_shape)"""
        return self.affine.apply(a)

    def linear(self, a: Tensor, weight: Tensor) -> Tensor:
        """``Σ_j a_j w_kj`` with the given weight. # shape: (B, *in_shape) -> (B, *out_shape)"""
        return self.affine.linear(a, weight)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        """``Σ_k w_kj s_k`` with the given weight. # shape: (B, *out_shape) -> (B, *in_shape)"""
        return self.affine.transpose(s, weight)

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
            return lambda s: self.transpose(s, self.affine.weight)
        weight = self.changed(change, dtype)
        if dtype is None:
            return lambda s: self.transpose(s, weight(s))
        return lambda s: self.transpose(s.to(dtype), weight(s)).to(s.dtype)

    def changed(self, change: Change, dtype: torch.dtype | None) -> Callable[[Tensor], Tensor]:
        """A modified weight for a pass on the samples given.

        It is kept, unless it is large and used at so many places that making it anew costs little.
        """
        if self.affine.weight.nbytes <= KEPT:
            small = self.kept(change, dtype)
            return lambda _: small
        places = prod(self.affine.out_shape) // prod(self.affine.bias_shape)
        return lambda x: self.kept(change, dtype) if len(x) * places < FEW else change(self.affine.weight, dtype)

    def kept(self, change: Change, dtype: torch.dtype | None) -> Tensor:
        """The modified weight, computed once; the most recent ones are kept."""
        key = change.key, dtype
        if key in self._modified:
            self._modified.move_to_end(key)
        else:
            self._modified[key] = change(self.affine.weight, dtype)
            while len(self._modified) > COPIES:
                self._modified.popitem(last=False)
        return self._modified[key]
