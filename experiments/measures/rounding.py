"""How far two correct floating-point evaluations of one plan may lie apart: a running error analysis.

A sum of n terms is computed as ``Σ x_i (1 + θ_i)`` with ``|θ_i| ≤ λ √n u`` (u the unit roundoff) with high probability
for λ of a few units (Higham and Mary 2019, "A new approach to probabilistic rounding error analysis"). To first order in u,
with errors of different origin added as independent ones (``⊕``: root of the sum of squares),

    δz_k = √(Σ_j (w_kj δa_j)²)  ⊕  λ √J u (Σ_j |w_kj a_j| + |b_k|)
    δn_k = √(Σ_j (ρ(w_kj) δu_j)²)  ⊕  λ √J u Σ_j |u_j ρ(w_kj)|
    δs_k = (δR_k  ⊕  s_k δn_k) / |n_k|
    δR_j = |u_j| (√(Σ_k (ρ(w_kj) δs_k)²)  ⊕  λ √K u Σ_k |ρ(w_kj) s_k|)  +  δu_j |Σ_k ρ(w_kj) s_k|

so what decides is ``Σ_j |u_j ρ(w_kj)| / |n_k|``, the condition number of a unit's denominator. The bounds hold for the
derived and for the explicit rule: both add up the same terms, in different orders.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dtd.affine import AffineMap
from dtd.algebra import divide
from dtd.explaining.observe import observe_models
from dtd.explaining.target import initial_relevance
from dtd.network import Network
from dtd.primitive import LayerNorm, MatMul, Opaque, Pointwise, Product, Softmax
from dtd.propagation import Layer, Propagation
from dtd.relevance import RelevanceModel
from dtd.root import Search

CURVED = (Product, MatMul, Softmax, LayerNorm, Opaque)
LAMBDA = 4.0  # one sum breaks its bound with a probability of at most 2 exp(−λ²/2) < 1e-3


@dataclass(frozen=True, eq=False)
class Uncertain:
    """Values and the size of their rounding errors, in units of u. # shape: both alike"""

    value: Tensor
    error: Tensor


def exact(value: Tensor) -> Uncertain:
    """Values without an error."""
    return Uncertain(value, torch.zeros_like(value))


def growth(affine: AffineMap) -> tuple[float, float]:
    """``λ √J`` and ``λ √K``: for the sum over a unit's inputs and bias, and for that over an input's units."""
    ones = torch.ones_like(affine.weight)
    inputs = affine.linear(ones.new_ones(1, *affine.in_shape), ones).max()
    units = affine.transpose(ones.new_ones(1, *affine.out_shape), ones).max()
    return LAMBDA * float(inputs + 1) ** 0.5, LAMBDA * float(units) ** 0.5


def through(function: Callable[[Tensor], Any], a: Uncertain) -> Uncertain:
    """A monotone function of the values: its error is how far it moves when they do."""
    here, up, down = (
        torch.as_tensor(function(x)).to(x).expand_as(x) for x in (a.value, a.value + a.error, a.value - a.error)
    )
    return Uncertain(here, torch.maximum((up - here).abs(), (down - here).abs()))


def joined(layer: Layer, inputs: tuple[Uncertain, ...]) -> Uncertain:
    """The one input of an affine layer."""
    return Uncertain(layer.joined(tuple(x.value for x in inputs)), layer.joined(tuple(x.error for x in inputs)))


def upward(layer: Layer, model: Propagation, inputs: tuple[Uncertain, ...]) -> Uncertain:
    """What a layer returns."""
    op = layer.op
    if isinstance(op, Pointwise):
        return through(op.function, inputs[0])
    value = model.forward(layer, tuple(x.value for x in inputs))[0]
    if isinstance(op, CURVED):
        raise NotImplementedError(f"No error analysis of '{layer.name}' ({layer.kind}): it is neither affine nor monotone.")
    if not isinstance(op, AffineMap):
        return Uncertain(value, model.forward(layer, tuple(x.error for x in inputs))[0])
    a, weight = joined(layer, inputs), op.weight
    bias = 0 if op.bias is None else op.per_output(op.bias.abs())
    local = growth(op)[0] * (op.linear(a.value.abs(), weight.abs()) + bias)
    return Uncertain(value, torch.hypot(op.linear(a.error**2, weight**2).sqrt(), local))


def downward(layer: Layer, model: Propagation, inputs: tuple[Uncertain, ...], relevance: Uncertain) -> tuple[Tensor, ...]:
    """The errors of the relevance that a layer hands down, input by input."""
    if isinstance(model, RelevanceModel):
        a = joined(layer, inputs)
        return layer.parted(sum(abs(weight) * of_search(s, layer, a, relevance) for weight, s in model.root.searches()))
    saved = model.forward(layer, tuple(x.value for x in inputs))[1]
    return model.backward(layer, saved, relevance.error).relevance


def of_search(search: Search, layer: Layer, a: Uncertain, relevance: Uncertain) -> Tensor:
    """:func:`downward` of an affine layer for one root of a mix. # shape: that of a"""
    affine: AffineMap = layer.op
    direction = search.direction.bound(layer.domain)
    z, (up, down) = affine.apply(a.value), growth(affine)
    pairs = [(through(f.activation, a), f.rho(affine.weight), f.gate(z)) for f in direction.factors(layer.domain)]
    n, error, bias = torch.zeros_like(z), torch.zeros_like(z), torch.zeros_like(z)
    for u, rho, gate in pairs:
        local = up * affine.linear(u.value.abs(), rho.abs())
        n = n + gate * affine.linear(u.value, rho)
        error = error + gate * torch.hypot(affine.linear(u.error**2, rho**2).sqrt(), local)
    if search.bias_moves and affine.bias is not None:
        b = affine.per_output(affine.bias)
        bias = b * direction.bias_on(b, z)
        n, error = n + bias, error + up * bias.abs()
    denominator = search.denominator(n, z, lambda function: function(z))
    s = Uncertain(divide(relevance.value, denominator), torch.zeros_like(z))
    s = Uncertain(s.value, divide(torch.hypot(relevance.error, s.value * error), denominator.abs()))
    lower = sum(handed(affine, u, rho, Uncertain(gate * s.value, gate * s.error), down) for u, rho, gate in pairs)
    if search.bias == "distribute":
        ones = torch.ones_like(affine.weight)
        count = affine.linear(torch.ones_like(a.value[:1]), ones)
        share = Uncertain(divide(s.value * bias, count), divide(s.error * bias.abs(), count))
        lower = lower + handed(affine, exact(torch.ones_like(a.value)), ones, share, down)
    return lower


def handed(affine: AffineMap, u: Uncertain, rho: Tensor, s: Uncertain, down: float) -> Tensor:
    """The error of ``u_j Σ_k ρ(w_kj) s_k``."""
    arriving = affine.transpose(s.error**2, rho**2).sqrt()
    local = down * affine.transpose(s.value.abs(), rho.abs())
    return u.value.abs() * torch.hypot(arriving, local) + u.error * affine.transpose(s.value, rho).abs()


@dataclass(frozen=True, eq=False)
class Bounds:
    """Rounding errors of relevance in units of u.

    # shape: network (B, *in); layers: by position, one (B, *in) for each input of the layer
    """

    network: Tensor  # at the network's input, errors of all layers carried down
    layers: Mapping[int, tuple[Tensor, ...]]  # of what one affine layer hands down, when all it gets is exact


@torch.no_grad()
def bounds(network: Network, models: Sequence[Propagation], x: Tensor, target: Tensor) -> Bounds:
    """The running error analysis of a plan's passes; ``models`` from ``Plan.bind``, in float64."""
    layers, values = network.layers, {-1: exact(x)}
    for i, layer in enumerate(layers):
        values[i] = upward(layer, models[i], tuple(values[j] for j in layer.inputs))
    output = values[network.output]
    initial = initial_relevance(output.value, target)
    arrived = observe_models(network.read(x), tuple(models), lambda _: initial).arrived
    pending = {network.output: output.error * (initial != 0)}
    local = {}
    for i in range(len(layers) - 1, -1, -1):
        layer, inputs = layers[i], tuple(values[j] for j in layers[i].inputs)
        if isinstance(layer.op, AffineMap):
            local[i] = downward(layer, models[i], tuple(exact(a.value) for a in inputs), exact(arrived[i]))
        below = downward(layer, models[i], inputs, Uncertain(arrived[i], pending.pop(i)))
        for j, error in zip(layer.inputs, below, strict=True):
            pending[j] = pending[j] + error if j in pending else error
    return Bounds(pending[-1], local)
