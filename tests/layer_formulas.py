"""Relevance of a transformer block and of an LSTM by the papers' formulas, layer by layer, written out.

Each function hands ``R`` of one layer down, with every contribution ``(k, j)`` built: slow, obvious, and without dtd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.transformers_by_hand import Block


def sign(z: Tensor) -> Tensor:
    return torch.where(z < 0, -1.0, 1.0).to(z)


@dataclass(frozen=True)
class Linear:
    """``R_j = Σ_k c_kj / Σ_{0,j} c_kj R_k`` with a stabiliser ε, or with γ for contributions of the output's sign."""

    epsilon: float = 0.0
    gamma: float | None = None

    def __call__(self, layer: nn.Linear, x: Tensor, relevance: Tensor) -> Tensor:
        parts = x[..., None, :] * layer.weight  # k, j
        z, bias = layer(x), torch.zeros_like(relevance) if layer.bias is None else layer.bias.expand_as(relevance)
        if self.gamma is not None:
            parts = parts + self.gamma * parts * (parts * sign(z)[..., None] > 0)
            bias = bias + self.gamma * bias * (bias * sign(z) > 0)
        denominator = parts.sum(-1) + bias
        denominator = denominator + self.epsilon * sign(denominator)
        return (parts / denominator[..., None] * relevance[..., None]).sum(-2)


def layer_norm(layer: nn.LayerNorm, x: Tensor, relevance: Tensor) -> Tensor:
    """The scale held: the dense map ``g_k (1[k = j] − 1/J) / σ`` with the bias as a neuron."""
    size = x.shape[-1]
    sigma = (x.var(-1, unbiased=False, keepdim=True) + layer.eps).sqrt()
    parts = layer.weight[:, None] * (torch.eye(size).to(x) - 1 / size) * x[..., None, :] / sigma[..., None]
    return (parts / layer(x)[..., None] * relevance[..., None]).sum(-2)


def matmul(a: Tensor, b: Tensor, relevance: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """``R_im = share Σ_p a_im b_mp / y_ip R_ip``, and the rest to b."""
    parts = a[..., :, :, None] * b[..., None, :, :]  # i, m, p
    handed = parts / parts.sum(-2, keepdim=True) * relevance[..., :, None, :]
    return share * handed.sum(-1), (1 - share) * handed.sum(-3)


def softmax(x: Tensor, relevance: Tensor) -> Tensor:
    """``R_j = x_j (R_j − s_j Σ_k R_k)``; what a mask hides gets nothing."""
    s = torch.softmax(x, -1)
    return x.masked_fill(x == -torch.inf, 0) * (relevance - s * relevance.sum(-1, keepdim=True))


def add(a: Tensor, b: Tensor, relevance: Tensor) -> tuple[Tensor, Tensor]:
    return a / (a + b) * relevance, b / (a + b) * relevance


@dataclass(frozen=True)
class Attention:
    """One block with norms before: ``R`` of what it returns, handed to what it receives."""

    linear: Linear
    attention_held: bool = False

    def __call__(self, block: Block, x: Tensor, relevance: Tensor) -> Tensor:
        h = block.first(x)
        q, k, v = (
            part(h).unflatten(-1, (block.heads, -1)).transpose(1, 2) for part in (block.query, block.key, block.value)
        )
        scores = q @ k.mT / q.shape[-1] ** 0.5
        scores = scores.masked_fill(torch.ones_like(scores).triu(1) > 0, -torch.inf) if block.causal else scores
        s = torch.softmax(scores, -1)
        mixed = s @ v
        flat = mixed.transpose(1, 2).flatten(2)
        middle = x + block.out(flat)
        low = self.feed_forward(block, middle, relevance)
        kept, attended = add(x, block.out(flat), low)
        r = self.linear(block.out, flat, attended).unflatten(-1, (block.heads, -1)).transpose(1, 2)
        to_s, to_v = matmul(s, v, r, 0.0 if self.attention_held else 0.5)
        to_scores = 0 * to_s if self.attention_held else softmax(scores, to_s)
        to_q, to_k = matmul(q, k.mT, to_scores, 0.5)
        read = zip((block.query, block.key, block.value), (to_q, to_k.mT, to_v), strict=True)
        down = sum(self.linear(part, h, r.transpose(1, 2).flatten(2)) for part, r in read)
        return kept + layer_norm(block.first, x, down)

    def feed_forward(self, block: Block, x: Tensor, relevance: Tensor) -> Tensor:
        h = block.second(x)
        hidden = F.gelu(block.up(h))
        kept, handed = add(x, block.down(hidden), relevance)
        return kept + layer_norm(block.second, x, self.linear(block.up, h, self.linear(block.down, hidden, handed)))


class Cells(nn.Module):
    """An LSTM over all steps of its input, written by hand, with a head on the last state."""

    def __init__(self, inputs: int = 3, units: int = 4):
        super().__init__()
        self.units, self.head = units, nn.Linear(units, 2)
        self.own, self.state = nn.ModuleList(nn.Linear(inputs, units) for _ in range(4)), nn.ModuleList()
        self.state.extend(nn.Linear(units, units, bias=False) for _ in range(4))

    def pre(self, x: Tensor, h: Tensor | None) -> list[Tensor]:
        own = [layer(x) for layer in self.own]
        return own if h is None else [a + layer(h) for a, layer in zip(own, self.state, strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        h = c = None
        for t in range(x.shape[1]):
            i, f, g, o = (function(z) for function, z in zip(GATES, self.pre(x[:, t], h), strict=True))
            c = i * g if c is None else f * c + i * g
            h = o * torch.tanh(c)
        return self.head(h)


GATES = (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid)


def arras(model: Cells, x: Tensor, relevance: Tensor, linear: Linear) -> Tensor:
    """Arras 2017: gates get nothing, the signal of a product all; ε in linear layers; sums by their parts."""
    states: list[tuple] = []
    h = c = None
    for t in range(x.shape[1]):
        i, f, g, o = (function(z) for function, z in zip(GATES, model.pre(x[:, t], h), strict=True))
        old, before = c, h
        c = i * g if c is None else f * c + i * g
        h = o * torch.tanh(c)
        states.append((before, old, i, f, g, c))
    found = torch.zeros_like(x)
    to_h, to_c = linear(model.head, h, relevance), torch.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        before, old, i, f, g, _ = states[t]
        to_c = to_c + to_h  # o is a gate, and tanh passes relevance
        to_g = to_c
        if old is not None:
            to_c, to_g = add(f * old, i * g, to_c)
        own = model.own[2](x[:, t])
        if before is None:
            found[:, t] = linear(model.own[2], x[:, t], to_g)
            continue
        recurrent = model.state[2](before)
        to_own, to_recurrent = add(own, recurrent, to_g)
        found[:, t] = linear(model.own[2], x[:, t], to_own)
        to_h = linear(model.state[2], before, to_recurrent)
    return found
