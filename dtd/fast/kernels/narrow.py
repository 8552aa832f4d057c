"""Convolutions of few channels: one adjoint call for several modified weights costs what each of them would."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from dtd.affine import Convolution
from dtd.fast.kernels.change import Change
from dtd.fast.kernels.passes import Passes

NARROW = 16  # input channels up to which a backward pass costs what one channel does


@dataclass(frozen=True, eq=False)
class ConvolutionPasses(Passes):
    """A convolution; the adjoints of its modified weights are computed together while they have few channels."""

    affine: Convolution

    def lowering(self, changes: Sequence[Change | None], dtype: torch.dtype | None = None) -> Callable:
        affine, count = self.affine, len(changes)
        wide = affine.groups > 1 or count * affine.in_shape[0] > NARROW
        if count == 1 or wide or (dtype is not None and None in changes):
            return super().lowering(changes, dtype)
        weight = torch.cat([affine.weight if change is None else change(affine.weight, dtype) for change in changes], 1)
        if dtype is None:
            return lambda s: self.transpose(s, weight).chunk(count, 1)
        return lambda s: self.transpose(s.to(dtype), weight).to(s.dtype).chunk(count, 1)
