"""The fused reading of a search: one forward and one backward pass for each factor pair, no root ever built.

n_k = Σ_m Σ_j u_m(a_j) ρ_m(w_kj) + b_k v_k0,    s = R / D,    R_j = Σ_m u_m(a_j) Σ_k ρ_m(w_kj) s_k
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import divide, identity, one
from dtd.callers.copies import on_copies
from dtd.direction import Direction, Factor
from dtd.propagation import Layer, per_sample
from dtd.root import Search


class SearchExpansion(NamedTuple):
    """What one search keeps between the forward sweep and the relevance pass. # shape: n, denominator (B, *out)"""

    factors: tuple[Factor, ...]
    n: Tensor  # w·v (+ b v_0)
    denominator: Tensor  # the search's D
    bias_term: Tensor | None  # b v_0, None where no bias moves
    z: Tensor | None  # kept only for factors with a side
    spread: Tensor | None  # Σ_j |w v|, kept only where the search may pass the root


def is_own_pass(factor: Factor) -> bool:
    """Whether a factor's pass is the layer's own: ``u(a) = a`` and ``ρ(w) = w``."""
    return factor.activation is identity and factor.keeps_weight and factor.side == 0


def bound(search: Search, layer: Layer) -> tuple[Direction, tuple[Factor, ...]]:
    """The search's direction on this layer, and its factors there."""
    direction = search.direction.bound(layer.domain)
    return direction, direction.factors(layer.domain)


def broadcast(value: Tensor | float, a: Tensor) -> Tensor:
    """A factor's ``u(a)`` in the layer's input shape; what does not depend on the sample keeps a batch of one."""
    if not isinstance(value, Tensor):
        return a.new_full((1, *a.shape[1:]), value)
    batch = value.shape[0] if value.ndim == a.ndim else 1
    return value.to(a).expand(batch, *a.shape[1:])


def moves_whole(search: Search, layer: Layer) -> bool:
    """Whether a search's ``n`` is the pre-activation itself: ``v = a``, and the bias neuron moves by the constant 1."""
    direction, factors = bound(search, layer)
    alone = len(factors) == 1 and is_own_pass(factors[0])
    return alone and search.bias_moves and isinstance(direction.bias(layer.op.bias), int)


def plain_pass(layer: Layer, a: Tensor, searches: list[Search]) -> tuple[Tensor, Tensor]:
    """Pre-activations ``z``, and ``Σ_j a_j w_kj`` where some factor's pass is that (else ``z`` again). # shape: (B, *out)"""
    affine: AffineMap = layer.op
    own = [search for search in searches if any(is_own_pass(f) for f in bound(search, layer)[1])]
    if all(moves_whole(search, layer) for search in own) or affine.bias is None:
        z = affine.apply(a)
        return z, z
    raw = affine.linear(a, affine.weight)
    return raw + affine.per_output(affine.bias), raw


def expand_search(search: Search, layer: Layer, a: Tensor, z: Tensor, raw: Tensor) -> SearchExpansion:
    """The forward passes of one search; ``raw`` is what :func:`plain_pass` found."""
    affine: AffineMap = layer.op
    direction, factors = bound(search, layer)
    layer.check(direction.requires, a, type(direction).__name__, direction.remedy)
    parts = [upward(affine, factor, a, z, raw) for factor in factors]
    bias_term = None
    if search.bias_moves and affine.bias is not None:
        b = affine.per_output(affine.bias)
        bias_term = b * direction.bias_on(b, z)
        if raw is not z or not moves_whole(search, layer):
            parts.append(bias_term)
    n = reduce(torch.add, parts).expand(z.shape)
    denominator = search.denominator(n, z, lambda function: on_copies(function)(z))
    kept_z = z if any(f.side for f in factors) else None
    spread = None if search.stops_at_root else reduce(torch.add, [magnitude(affine, f, a) for f in factors])
    return SearchExpansion(factors, n, denominator, bias_term, kept_z, spread)


def magnitude(affine: AffineMap, factor: Factor, a: Tensor) -> Tensor:
    """``Σ_j |u(a_j) ρ(w_kj)|``, what rounding errors of one factor's pass scale with. # shape: (B, *out)"""
    return affine.linear(broadcast(factor.activation(a), a).abs(), factor.rho(affine.weight).abs())


def upward(affine: AffineMap, factor: Factor, a: Tensor, z: Tensor, raw: Tensor) -> Tensor:
    """One factor's part of ``n``. # shape: (B, *out)"""
    if is_own_pass(factor):
        return raw
    part = affine.linear(broadcast(factor.activation(a), a), factor.rho(affine.weight))
    return part if factor.side == 0 else factor.gate(z) * part


def downward(search: Search, layer: Layer, a: Tensor, expansion: SearchExpansion, s: Tensor) -> tuple[Tensor, Tensor]:
    """The backward passes of one search: ``R_j`` and the bias neuron's share. # shape: s (B, *out) -> (B, *in), (B,)"""
    affine: AffineMap = layer.op
    parts = []
    for factor in expansion.factors:
        gated = s if factor.side == 0 else s * factor.gate(expansion.z)
        part = affine.transpose(gated, factor.rho(affine.weight))
        parts.append(part if factor.activation is one else part * factor.activation(a))
    if expansion.bias_term is None:
        return reduce(torch.add, parts), 0 * per_sample(s)
    bias = s * expansion.bias_term
    if search.bias != "distribute":
        return reduce(torch.add, parts), per_sample(bias)
    ones = torch.ones_like(affine.weight)
    count = affine.linear(a.new_ones((1, *a.shape[1:])), ones)
    kept = per_sample(bias * (count == 0))  # a unit that reads padding alone has nobody to hand it to
    return reduce(torch.add, [*parts, affine.transpose(divide(bias, count), ones)]), kept
