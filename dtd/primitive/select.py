"""Max pooling: the winner takes all."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.propagation import Layer, Propagated, Propagation, balance


@dataclass(frozen=True, eq=False)
class MaxPool(Propagation):
    """``y_p = max_{q in window(p)} a_q``: in its linear region ``y_p = a_winner``, so the winner takes all.

    Of several equal winners the first one takes all; an entry that wins in several windows collects from each. A plan
    that treats it as average pooling (:class:`dtd.AsAverage`) finds the average over the same windows in ``average``.
    """

    pool: Callable[[Tensor], Tensor]
    average: AffineMap  # padding, which is no input, is not counted

    def accepts(self, layer):
        return layer.primitive is self

    def forward(self, layer: Layer, inputs):
        return torch.func.vjp(self.pool, inputs[0])

    def backward(self, layer: Layer, saved, relevance):
        lower = saved(relevance)
        return Propagated(lower, balance(relevance, lower))
