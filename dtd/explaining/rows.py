"""Samples of inputs, in any order and as often as wanted."""

from typing import Any

from torch import Tensor

from dtd.network.leaves import Inputs
from dtd.network.network import Network


def samples_at(network: Network, inputs: Inputs, rows: Tensor) -> Any:
    """The samples ``rows``; inputs without a batch axis as they are. # shape: rows (N,)"""
    leaves = network.signature.tensors(inputs)
    taken = [leaf[rows.to(leaf.device)] if b else leaf for leaf, b in zip(leaves, network.axes.batched, strict=True)]
    return network.signature.structured(taken)
