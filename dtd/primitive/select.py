"""Max pooling: the winner takes all."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from dtd.propagation import Layer, Propagated, Propagation, balance


@dataclass(frozen=True, eq=False)
class MaxPool(Propagation):
    """``y_p = max_{q in window(p)} a_q``: in its linear region ``y_p = a_winner``, so the winner takes all.

    ``pool`` returns values and the flat spatial index of each winner (the first one where several tie).
    """

    pool: Callable[[Tensor], tuple[Tensor, Tensor]]
    spatial: int

    def accepts(self, layer):
        return layer.primitive is self

    def forward(self, layer: Layer, inputs):
        value, winner = self.pool(inputs[0])
        return value, (winner, inputs[0].shape)

    def backward(self, layer: Layer, saved, relevance):
        winner, shape = saved
        axis = relevance.ndim - self.spatial
        flat = relevance.new_zeros((*shape[:axis], shape[axis:].numel()))
        lower = flat.scatter_add_(-1, winner.flatten(axis), relevance.flatten(axis)).view(shape)
        return Propagated((lower,), balance(relevance, (lower,)))
