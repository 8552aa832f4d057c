"""How far shares of relevance bring two explanations together: distances, and coefficients that bound them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dtd.network import Network
from dtd.network.activations import activations
from dtd.plans.plan import Plan

CONSERVES = 1e-6  # how far from 1 shares may sum


@dataclass(frozen=True, eq=False)
class Shares:
    """What each unit of a layer hands to each of its inputs, sample by sample, and which units and inputs are active.

    # shape: matrix (B, J, K), inputs (B, J), units (B, K)
    """

    matrix: Tensor
    inputs: Tensor
    units: Tensor


@torch.no_grad()
def shares(network: Network, x: Tensor, plan: Plan) -> list[Shares]:
    """The shares of every layer with weights, from the output down. Dense layers, one after the other."""
    models = dict(zip((layer.name for layer in network.layers), plan.bind(network), strict=True))
    found = []
    for layer, a, z in activations(network, x):
        if layer.weighted:
            units = z.shape[1]
            one = torch.eye(units, dtype=x.dtype).repeat(len(x), 1)
            model = models[layer.name]
            saved = model.forward(layer, (a.repeat_interleave(units, 0),))[1]
            handed = model.backward(layer, saved, one).relevance[0]
            found.append(Shares(handed.view(len(x), units, -1).transpose(1, 2), a != 0, z > 0))
    return found[::-1]


def contraction(matrix: Tensor, units: Tensor) -> Tensor:
    """``½ max_kl Σ_j |p_jk − p_jl|`` over active units: Dobrushin's coefficient, for shares of any sign. # shape: -> (B,)

    No difference of two explanations of equal sum grows by more in ``Σ|·|``, and some pair of units attains it. Infinite
    where some active unit's shares do not sum to 1, since sums are not equal below (z⁺: nothing speaks for the unit).
    """
    apart = torch.cdist(matrix.transpose(1, 2), matrix.transpose(1, 2), p=1) / 2
    both = units[:, :, None] & units[:, None, :]
    keeps = ((matrix.sum(1) - 1).abs() < CONSERVES) | ~units
    return apart.masked_fill(~both, 0).flatten(1).amax(1).masked_fill(~keeps.all(1), torch.inf)


def birkhoff(matrix: Tensor, inputs: Tensor, units: Tensor) -> Tensor:
    """``tanh(Δ/4)`` with Δ the logarithm of the largest cross ratio of the active entries. # shape: -> (B,)

    1 where an entry is 0, and infinite where one is negative: nothing bounds Hilbert's distance there.
    """
    negative = (matrix < 0) & inputs[:, :, None] & units[:, None, :]
    found = torch.ones(len(matrix), dtype=matrix.dtype).masked_fill(negative.flatten(1).any(1), torch.inf)
    for n, (each, rows, columns) in enumerate(zip(matrix, inputs, units, strict=True)):
        entries = each[rows][:, columns]
        if entries.numel() and (entries > 0).all():
            logs = entries.log()
            highest = (logs[:, :, None] - logs[:, None, :]).amax(0)
            found[n] = torch.tanh((highest + highest.T).max() / 4)
    return found


def projective(one: Tensor, other: Tensor, active: Tensor) -> Tensor:
    """``ln max(x/y) − ln min(x/y)`` over active entries: Hilbert's distance; infinite where an entry is not positive."""
    positive = ((one > 0) & (other > 0)) | ~active
    ratio = (one / other).where(active & positive, torch.nan).log()
    highest, lowest = ratio.nan_to_num(nan=-torch.inf).amax(1), ratio.nan_to_num(nan=torch.inf).amin(1)
    return (highest - lowest).where(positive.all(1), torch.inf)


def total_variation(one: Tensor, other: Tensor) -> Tensor:
    """``½ Σ_j |R_j − R'_j|``. # shape: (B, J) each -> (B,)"""
    return (one - other).abs().sum(1) / 2


@dataclass(frozen=True, eq=False)
class Passed:
    """Two explanations after some layers, and what bounds their distances. # shape: one and other (B, J), the rest (B,)"""

    layers: int
    one: Tensor
    other: Tensor
    apart: Tensor
    bound: Tensor
    distance: Tensor
    distance_bound: Tensor


def passed(layers: Sequence[Shares], one: Tensor, other: Tensor) -> list[Passed]:
    """Two explanations of the output, each of sum 1, handed down layer by layer.

    ``apart`` is bounded by the product of the contractions. Hilbert's ``distance`` is bounded two layers at a time, since
    shares of one layer have zeros: from the first place where it is finite by the product of Birkhoff's coefficients.
    """
    bound, below = total_variation(one, other), torch.full_like(one[:, 0], torch.inf)
    found, before = [], None
    for number, layer in enumerate(layers, 1):
        units = (one != 0) | (other != 0) if number == 1 else layer.units
        one, other = (torch.einsum("bjk,bk->bj", layer.matrix, each) for each in (one, other))
        bound = bound * contraction(layer.matrix, units)
        distance = projective(one, other, layer.inputs)
        if number % 2 == 0 and before is not None:
            block = birkhoff(layer.matrix @ before.matrix, layer.inputs, before.units)
            below = torch.where(below.isinf(), distance, below * block)
        before = layer
        found.append(Passed(number, one, other, total_variation(one, other), bound, distance, below))
    return found
