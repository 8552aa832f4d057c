"""A number against a reference value as what is explained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.errors import InputError, is_number
from dtd.explaining.starts.classes import is_class
from dtd.explaining.starts.contrast import Contrast
from dtd.explaining.starts.initial import Weighed


@dataclass(frozen=True)
class FromReference(Contrast):
    """``f − f̃``: an output against a reference value, in the network whose output at the reference is 0 (Letzgus 2022).

    A regression is asked "why so much more than f̃?". The bias of the last affine layer becomes ``b − f̃``; what is explained
    is the output of that network, and the plan's rule for its last layer finds the root of ``w·a + b − f̃``. To hold the
    activations of a reference input as the root instead, give that layer :class:`dtd.Reference` in the plan.

    Args:
        value: f̃, in units of the output.
        output: which number of a sample's output; left out, the one that there is.

    >>> FromReference(21.5)
    FromReference(21.5)

    Raises :class:`InputError` where the output is not that of an affine layer (reshaped or not).
    """

    value: float
    output: int | None = None

    def outputs(self, shape: tuple[int, ...]) -> int:
        return torch.Size(shape).numel()

    def rewritten(self, op: AffineMap, shape: tuple[int, ...]) -> AffineMap | None:
        if not is_number(self.value) or not isfinite(self.value):
            raise InputError(f"The reference value must be a finite number; found {self.value!r}.")
        units = torch.Size(op.out_shape).numel()
        place = 0 if self.output is None and units == 1 else self.output
        if place is None or not is_class(place, units):
            raise InputError(f"{self!r} needs an 'output' from 0 to {units - 1}: the network has {units}.")
        if op.bias_shape != op.out_shape:
            raise InputError(f"{self!r} needs an affine output layer with a bias for each of its outputs.")
        bias = op.weight.new_zeros(op.bias_shape) if op.bias is None else op.bias.clone()
        bias.flatten()[place] -= self.value
        return replace(op, bias=bias)

    def rewritten_or_refused(self, op: AffineMap | None, shape: tuple[int, ...]) -> AffineMap | None:
        if op is None:
            raise InputError(f"{self!r} needs an affine layer at the output, whose bias takes the reference value.")
        return self.rewritten(op, shape)

    def initial(self, rewritten: bool, shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
        weights = torch.zeros(shape, dtype=torch.double)
        weights.flatten()[self.output or 0] = 1
        return Weighed(weights)
