"""Relevance that follows entries back to where they came from: moved data, and the winners of max pooling."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtd.callers.printing import Printed
from dtd.primitive import Mover
from dtd.propagation import Layer, Propagated, Propagation, balance, per_sample


@dataclass(frozen=True)
class Follow(Printed, Propagation):
    """``R_j = Σ_k 1[output k is input j] R_k``: each output is one input, ``y_k = a_j``, which therefore receives all.

    An entry that was copied collects the relevance of its copies. What lands on a constant (padding, a concatenated
    buffer) is reported as the bias share, since a constant is no input. For max pooling this is "winner takes all": in
    its linear region ``y_k = a_winner``.

    The largest of (1, 3, 2) is explained: its place takes all.

    >>> import dtd, torch
    >>> net = dtd.trace(torch.nn.MaxPool1d(3), torch.ones(1, 1, 3))
    >>> plan = dtd.Plan([(dtd.where.kind("max_pool"), dtd.Follow())])
    >>> dtd.explain(net, torch.tensor([[[1.0, 3.0, 2.0]]]), lambda y: y, plan).relevance
    tensor([[[0., 3., 0.]]])
    """

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, Mover)

    def forward(self, layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Any]:
        return layer.op.move(inputs)

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        lower, constant = layer.op.follow(saved, relevance), layer.op.constant(relevance, saved)
        kept = {} if constant is None else {"bias": per_sample(relevance * constant)}
        return Propagated(lower, balance(relevance, lower, **kept))
