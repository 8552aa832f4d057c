"""Attention's rules by autograd: gradient × input of a model whose operations are differentiated as the papers say.

Written from the papers alone; shares no code with dtd. The model runs as it is, and the mode replaces operations by their
names. An operation's value stays, its derivative becomes that of

* a product or matrix product of two activations: half of each factor's derivative (Achtibat 2024, Eq. 13, 15);
* softmax: its own (Prop. 3.1), or none where attention weights are held constant (Ali 2022);
* layer norm and RMS norm: the affine map with the scale held (Ali 2022);
* an activation function: ``f(x)/x``, so that relevance passes (Achtibat 2024, Eq. 9).

Biases and positions have no gradient of theirs asked for, so that they keep their share: they are neurons.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

PRODUCTS = ("mul", "__mul__", "__rmul__", "matmul", "bmm", "__matmul__")
SCALES = ("rsqrt", "sqrt")  # of variances, in norms written by hand
ACTIVATIONS = ("gelu", "silu", "relu", "tanh", "sigmoid")


@dataclass(frozen=True)
class Rules:
    """What the oracle does; each field can be broken on purpose."""

    half: float = 0.5  # the share of the first factor of a product
    attention_held: bool = False  # CP-LRP
    scale_held: bool = True
    norm_bias: bool = True  # counted in the denominators, as a neuron
    masked: bool = True


class Differentiated(TorchFunctionMode):
    """Operations with the papers' derivatives."""

    def __init__(self, rules: Rules = Rules()):
        super().__init__()
        self.rules = rules

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        if name in PRODUCTS:
            return self.product(function, *args)
        if name in SCALES and self.rules.scale_held:
            return function(*args, **kwargs).detach()
        if name in ACTIVATIONS and isinstance(args[0], Tensor):
            return self.activation(lambda x: function(x, *args[1:], **kwargs), args[0])
        own = {
            "softmax": self.softmax,
            "layer_norm": self.layer_norm,
            "rms_norm": self.rms_norm,
            "scaled_dot_product_attention": self.attention,
        }.get(name)
        return function(*args, **kwargs) if own is None else own(*args, **kwargs)

    def product(self, function: Callable, a: Any, b: Any) -> Tensor:
        if not all(isinstance(factor, Tensor) and factor.requires_grad for factor in (a, b)):
            return function(a, b)
        return self.rules.half * function(a, b.detach()) + (1 - self.rules.half) * function(a.detach(), b)

    def activation(self, function: Callable, x: Tensor) -> Tensor:
        return x * (function(x) / x).detach()

    def softmax(self, x: Tensor, dim: int = -1, **options: Any) -> Tensor:
        s = F.softmax(x, dim)
        return s.detach() if self.rules.attention_held else s

    def held(self, scale: Tensor) -> Tensor:
        return scale.detach() if self.rules.scale_held else scale

    def layer_norm(self, x: Tensor, sizes: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
        axes = tuple(range(-len(sizes), 0))
        centred = x - x.mean(axes, keepdim=True)
        y = centred / self.held((centred.square().mean(axes, keepdim=True) + eps).sqrt())
        y = y if weight is None else y * weight
        if bias is None:
            return y
        return y + bias if self.rules.norm_bias else (y * ((y + bias) / y).detach())

    def rms_norm(self, x: Tensor, sizes: Any, weight: Any = None, eps: float | None = None) -> Tensor:
        axes = tuple(range(-len(sizes), 0))
        eps = torch.finfo(x.dtype).eps if eps is None else eps
        y = x / self.held((x.square().mean(axes, keepdim=True) + eps).sqrt())
        return y if weight is None else y * weight

    def attention(
        self, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
    ) -> Tensor:
        """``softmax(q kᵀ √d⁻¹ + mask) v``, written out."""
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key, value = (part.repeat_interleave(groups, -3) for part in (key, value))
        scores = self.product(torch.matmul, query, key.mT) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        if attn_mask is not None and self.rules.masked:
            seen = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -math.inf) if seen else scores + attn_mask
        return self.product(torch.matmul, self.softmax(scores), value)


def gradient_times_input(
    model: nn.Module, x: Tensor, explained: Callable[[Tensor], Tensor], rules: Rules | None = Rules()
) -> Tensor:
    """``x ∂/∂x Σ explained(model(x))`` with the papers' derivatives (``rules=None``: with plain ones)."""
    x = x.detach().requires_grad_()
    kept = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.requires_grad_(False)
        with nullcontext() if rules is None else Differentiated(rules):
            output = model(x)
        (gradient,) = torch.autograd.grad(explained(output).sum(), x)
    finally:
        for p, required in kept:
            p.requires_grad_(required)
    return gradient * x.detach()
