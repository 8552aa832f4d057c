"""Brute force: each unit's relevance model as a torch function, expanded at its root by autograd.

Written from the design table alone, one dense row for each unit; shares no code with dtd's directions or roots.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Unit:
    """All units of a layer on dense rows. # shape: a (B, 1, J), w (K, J), b (K,), z (B, K)"""

    a: Tensor
    w: Tensor
    b: Tensor
    z: Tensor


def dense_rows(module: nn.Module, x: Tensor) -> Unit:
    """Weights and biases of every unit, from the module's own Jacobian and its value at zero."""
    zero = torch.zeros_like(x[:1])
    bias = module(zero).flatten().detach()
    rows = torch.autograd.functional.jacobian(lambda a: module(a).flatten(), zero, vectorize=True)
    w = rows.reshape(len(bias), -1)
    return Unit(x.flatten(1)[:, None], w, bias, module(x).flatten(1).detach())


def inverse(w: Tensor) -> Tensor:
    return torch.where(w == 0, 0.0, 1 / torch.where(w == 0, 1.0, w))


def directions(rule: str, unit: Unit, parameters: dict) -> list[tuple[float, Tensor, Tensor]]:
    """(weight, v, v of the bias neuron) for each root of a rule. # shape: (B, K, J), (B, K)"""
    a, w, b, z = unit.a, unit.w[None], unit.b[None], unit.z
    up = (z > 0)[..., None]
    g = parameters.get("gamma", 0.0)
    contribution = a * w
    everywhere = torch.ones_like(z)
    if rule in ("lrp0", "epsilon"):
        return [(1, a * torch.ones_like(w), everywhere)]
    if rule == "gamma":
        return [(1, a * (1 + g * (w > 0)), 1 + g * (b > 0) * everywhere)]
    if rule == "gamma_signed":
        boosted = torch.where(up, contribution > 0, contribution < 0)
        return [(1, a * (1 + g * boosted), 1 + g * torch.where(z > 0, b > 0, b < 0))]
    if rule == "zplus":
        return [(1, a * (w > 0), (b > 0) * everywhere)]
    if rule == "zplus_signed":
        return [(1, a * (contribution > 0), (b > 0) * everywhere)]
    if rule == "alphabeta":
        return [
            (parameters["alpha"], a * (contribution > 0), (b > 0) * everywhere),
            (-parameters["beta"], a * (contribution < 0), (b < 0) * everywhere),
        ]
    if rule == "wsquare":
        return [(1, w.expand(len(a), -1, -1), b * everywhere)]
    if rule == "flat":
        return [(1, inverse(w).expand(len(a), -1, -1), inverse(b) * everywhere)]
    if rule == "zbox":
        low, high = parameters["low"], parameters["high"]
        low, high = (torch.as_tensor(q, dtype=a.dtype).expand(parameters["shape"]).flatten(1)[:, None] for q in (low, high))
        return [(1, a - low * (w > 0) - high * (w < 0), 0 * everywhere)]
    if rule == "pattern":
        return [(1, parameters["dense_pattern"][None].expand(len(a), -1, -1), 0 * everywhere)]
    raise KeyError(rule)


def expansion(module: nn.Module, x: Tensor, relevance: Tensor, rule: str, bias: str, parameters: dict) -> dict[str, Tensor]:
    """Taylor terms of ``R max(0, z(ã)/z)``, by autograd through the module. # shape: first (B, K, J), others (B, K)"""
    unit = dense_rows(module, x)
    relevance = relevance.flatten(1)
    total = dict.fromkeys(("first", "bias", "zeroth"), 0.0)
    for weight, v, v0 in directions(rule, unit, parameters):
        v0 = v0 if bias != "fixed" else 0 * v0
        n = (v * unit.w).sum(-1) + unit.b * v0
        n = n + parameters.get("epsilon", 0.0) * torch.where(n < 0, -1.0, 1.0).to(n)
        gone = (n == 0) | (unit.z == 0)  # no root, or no c = R/z: handled apart
        t = torch.where(gone, 0.0, unit.z / torch.where(n == 0, 1.0, n))
        root, root0 = unit.a - t[..., None] * v, 1 - t * v0
        gradient, gradient0 = gradients(module, unit, relevance, root, root0, x.shape)
        first = gradient * (unit.a - root)
        at_bias = gradient0 * (1 - root0)
        zeroth = relevance - first.sum(-1) - at_bias
        total["first"] = total["first"] + weight * first
        total["bias"] = total["bias"] + weight * at_bias
        total["zeroth"] = total["zeroth"] + weight * zeroth
    if bias == "distribute":
        real = (unit.w != 0) | parameters["reads"]
        total["first"] = total["first"] + (total["bias"] / real.sum(-1))[..., None] * real
        total["bias"] = 0 * total["bias"]
    return total


def gradients(module, unit: Unit, relevance, root, root0, shape) -> tuple[Tensor, Tensor]:
    """∇R̂ just inside the linear region, where ``R̂(a, a_0) = R max(0, (W a + b a_0)/z)``. # shape: (B, K, J), (B, K)"""
    inside, inside0 = unit.a + 0.999 * (root - unit.a), 1 + 0.999 * (root0 - 1)
    inside, inside0 = inside.detach().requires_grad_(), inside0.detach().requires_grad_()
    batch, units = unit.z.shape
    outputs = module(inside.reshape(batch * units, *shape[1:])).reshape(batch, units, -1)
    linear = outputs.diagonal(dim1=1, dim2=2) - unit.b
    ratio = (linear + unit.b * inside0) / torch.where(unit.z == 0, 1.0, unit.z)
    model = (relevance * torch.relu(ratio)).sum()
    gradient, gradient0 = torch.autograd.grad(model, (inside, inside0))
    return gradient, gradient0
