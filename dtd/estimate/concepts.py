"""Channels of a layer ranked by relevance over a data set, each with the samples that maximise it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.errors import InputError, check_parameter
from dtd.estimate.hidden import Data
from dtd.explaining.starts.unit import Index
from dtd.explaining.target import Target
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan

By = Literal["sum", "max"]


@dataclass(frozen=True, eq=False)
class Concepts(Printed):
    """Relevance of each channel of a layer in each sample: the sum over places, and the largest at one place.

    Sums over channels are the relevance of the layer, sample by sample. ``dtd.explain(..., through=concepts.through(3))``
    draws where in the input the relevance of channel 3 lies.

    >>> found = Concepts("0", torch.tensor([[1.0, 0.0], [2.0, 6.0]]), torch.tensor([[1.0, 0.0], [1.0, 4.0]]))
    >>> found.mean, found.ranking, found.samples(0)
    (tensor([1.5000, 3.0000]), tensor([1, 0]), tensor([1, 0]))

    # shape: relevance, largest (N, C)

    Relevance of two channels in two samples, at one place.

    >>> import dtd, torch
    >>> relevance = torch.tensor([[2.0, 0.0], [1.0, 4.0]])
    >>> found = dtd.Concepts("1", relevance, relevance)
    >>> found.mean, found.ranking, found.samples(0, count=1)
    (tensor([1.5000, 2.0000]), tensor([1, 0]), tensor([0]))
    """

    layer: str
    relevance: Tensor
    largest: Tensor = field(repr=False)

    @property
    def mean(self) -> Tensor:
        """Mean relevance of each channel over the data set. # shape: (C,)"""
        return self.relevance.mean(0)

    @property
    def ranking(self) -> Tensor:
        """Channels, the one with the largest mean relevance first. # shape: (C,)"""
        return self.mean.argsort(descending=True, stable=True)

    def samples(self, channel: int, count: int = 8, by: By = "sum") -> Tensor:
        """The samples in which a channel's relevance is largest (RelMax), the largest first. # shape: (count,)

        ``by="max"`` compares the relevance at the channel's one most relevant place in place of the sum.
        """
        channels = self.relevance.shape[1]
        check_parameter(by in get_args(By), "by", f"one of {', '.join(get_args(By))}", repr(by))
        check_parameter(isinstance(count, int) and count >= 1, "count", "a positive integer", repr(count))
        if not isinstance(channel, int) or not -channels <= channel < channels:
            raise InputError(f"Layer '{self.layer}' has channels 0 to {channels - 1}; found {channel}.")
        values = (self.relevance if by == "sum" else self.largest)[:, channel]
        return values.argsort(descending=True, stable=True)[:count]

    def through(self, *channels: int) -> Mapping[str, Index]:
        """What :func:`dtd.explain` takes as ``through`` for some channels."""
        return {self.layer: list(channels)}


def concepts(
    network: Network, inputs: Inputs, layer: str, target: Target, plan: Plan | None = None, *, batch: int = 64
) -> Concepts:
    """The relevance ``Σ_places R_c`` of every channel of a layer's output in every sample (Achtibat et al. 2023).

    Args:
        inputs: a data set as the network takes it, ``(N, *in)``; ``batch`` samples are explained at a time.
        layer: the name of a layer.
        target: what is explained: a class, one for each sample, initial relevance, or a function of the output.

    >>> import dtd
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> for layer, weight in ((model[0], [[1.0, 0.0], [0.0, 1.0]]), (model[2], [[1.0, 3.0]])):
    ...     _ = layer.weight.data.copy_(torch.tensor(weight))
    >>> net = dtd.trace(model, torch.ones(1, 2), domain=dtd.NonNegative())
    >>> found = dtd.concepts(net, torch.tensor([[2.0, 0.0], [1.0, 1.0]]), "1", 0, dtd.Plan.uniform("lrp0"))
    >>> found.relevance, found.ranking, found.samples(0)
    (tensor([[2., 0.],
            [1., 3.]]), tensor([0, 1]), tensor([0, 1]))

    Raises what :func:`dtd.explain` raises, and :class:`InputError` for an empty data set.
    """
    parts = [(each.sum(1), each.amax(1)) for each in Data(network, inputs, target, plan, batch).relevance(layer)]
    return Concepts(layer, *map(torch.cat, zip(*parts, strict=True)))
