"""Patterns estimated from data, for PatternAttribution."""

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.callers.arithmetic import own_arithmetic
from dtd.errors import InputError
from dtd.network.activations import activations
from dtd.network.network import Network


@own_arithmetic()
def estimate_patterns(network: Network, batches: Collection[Tensor], regime: str = "positive") -> dict[str, Tensor]:
    """For each layer with weights the pattern ``p ∝ E₊[a z] − E₊[a] E[z]`` of its units, in the shape of the weight.

    ``E₊`` averages over the samples (and positions) where the unit is positive: the two-component estimator of
    Kindermans 2018, Sec. 4. ``regime="linear"`` averages over all of them, which gives ``cov(a, z)`` (their
    linear estimator). The normalisation ``wᵀp = 1`` is left out: a root does not depend on the length of its direction.

    Args:
        batches: inputs ``(B, *in)``; read twice, so a list or a loader, not a generator.

    Raises:
        InputError: an unknown regime, or batches that can be read only once.

    Where only the first input varies, ``cov(a, z)`` has no other entry (its length does not matter).

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> dtd.estimate_patterns(net, [torch.tensor([[0.0, 1.0], [1.0, 1.0]])], regime="linear")["dense"]
    tensor([[1.5000, 0.0000]])
    """
    if regime not in ("positive", "linear"):
        raise InputError(f"'regime' must be 'positive' or 'linear'; found {regime!r}.")
    if iter(batches) is batches:
        raise InputError("'batches' is read twice: give a list of tensors or a loader, not a generator.")
    if not len(batches):
        raise InputError("'batches' is empty: give at least one batch of inputs.")
    layers = {layer.name: layer.op for layer in network.weighted if isinstance(layer.op, AffineMap)}
    sums: dict[str, Any] = dict.fromkeys(layers, 0.0)
    counts: dict[str, Any] = dict.fromkeys(layers, 0.0)
    for x in batches:
        for name, (_, z) in activations_seen(network, x).items():
            sums[name] = sums[name] + per_channel(layers[name], z)
            counts[name] = counts[name] + per_channel(layers[name], torch.ones_like(z))
    patterns: dict[str, Any] = dict.fromkeys(layers, 0.0)
    for x in batches:
        for name, (a, z) in activations_seen(network, x).items():
            affine = layers[name]
            centred = z - affine.per_output(sums[name] / counts[name])
            used = centred if regime == "linear" else centred * (z > 0)
            patterns[name] = patterns[name] + outer_sum(affine, a, used)
    return {name: pattern.contiguous() for name, pattern in patterns.items()}


def activations_seen(network: Network, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Inputs and pre-activations of the layers with weights. # shape: (B, *in), (B, *out)"""
    return {layer.name: (a, z) for layer, a, z in activations(network, x) if layer.weighted}


def per_channel(affine: AffineMap, z: Tensor) -> Tensor:
    """Sum over samples and positions, in the shape of the layer's bias: the adjoint_of of :meth:`AffineMap.per_output`."""
    return adjoint_of(lambda vector: affine.per_output(vector).expand(z.shape), z.new_zeros(affine.bias_shape), z)


def outer_sum(affine: AffineMap, a: Tensor, z: Tensor) -> Tensor:
    """``Σ a_j z_k`` over samples and positions, in the shape of the weight: the adjoint_of of the map in its weight."""
    return adjoint_of(lambda weight: affine.linear(a, weight), torch.zeros_like(affine.weight), z)


def adjoint_of(linear: Callable[[Tensor], Tensor], at: Tensor, values: Tensor) -> Tensor:
    """The adjoint_of of a linear function, applied to ``values``."""
    return torch.func.vjp(linear, at)[1](values)[0]
