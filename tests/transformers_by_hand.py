"""Small transformers that use what models use: masks, causal attention, grouped heads, rotary positions, gated units."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Attention and a feed-forward part, each in a residual sum; norms before (as GPT) or after (as BERT)."""

    def __init__(self, width: int, heads: int, causal: bool = False, before: bool = True):
        super().__init__()
        self.heads, self.causal, self.before = heads, causal, before
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.before:
            x = x + self.attend(self.first(x), mask)
            return x + self.down(F.gelu(self.up(self.second(x))))
        x = self.first(x + self.attend(x, mask))
        return self.second(x + self.down(F.gelu(self.up(x))))

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=self.causal and mask is None)
        return self.out(y.transpose(1, 2).flatten(2))


class Llama(nn.Module):
    """A LLaMA block: RMS norms written by hand, rotary positions, grouped keys, attention written out, a gated unit."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query, self.out = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.key, self.value = (nn.Linear(width, self.size, bias=False) for _ in range(2))
        self.gate, self.up = (nn.Linear(width, 2 * width, bias=False) for _ in range(2))
        self.down = nn.Linear(2 * width, width, bias=False)
        self.gains = nn.Parameter(torch.ones(2, width))

    def norm(self, x: Tensor, k: int) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gains[k]

    def turned(self, x: Tensor) -> Tensor:
        angles = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] / 10 ** torch.arange(self.size // 2, dtype=x.dtype)
        cos, sin = (f(angles).repeat(1, 2) for f in (torch.cos, torch.sin))
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat([-b, a], -1) * sin

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        h = self.norm(x, 0)
        q, k, v = (part(h).unflatten(-1, (-1, self.size)).transpose(1, 2) for part in (self.query, self.key, self.value))
        k, v = (part.repeat_interleave(self.heads, 1) for part in (self.turned(k), v))
        scores = torch.matmul(self.turned(q), k.transpose(2, 3)) / math.sqrt(self.size)
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -math.inf)
        scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
        x = x + self.out(torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2).flatten(2))
        h = self.norm(x, 1)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Transformer(nn.Module):
    """Positions, blocks, and a head on the mean of the tokens that ``mask`` shows."""

    def __init__(self, *blocks: nn.Module, width: int = 8, length: int = 5):
        super().__init__()
        self.blocks, self.head = nn.ModuleList(blocks), nn.Linear(width, 3)
        self.positions = nn.Parameter(torch.zeros(length, width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.positions[: x.shape[1]]
        for block in self.blocks:
            x = block(x, None if mask is None else mask[:, None, None, :])
        if mask is None:
            return self.head(x.mean(1))
        shown = mask[..., None].to(x.dtype)
        return self.head((x * shown).sum(1) / shown.sum(1))


class Under(nn.Module):
    """A model under a mask, as a function of its input alone."""

    def __init__(self, model: nn.Module, mask: Tensor | None):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x, self.mask)


MAKERS = {
    "encoder": lambda: Transformer(Block(8, 2, before=False), Block(8, 2, before=False)),
    "decoder": lambda: Transformer(Block(8, 2, causal=True), Block(8, 2, causal=True)),
    "llama": lambda: Transformer(Llama(8, 2), Llama(8, 2)),
}


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A model in float64 and evaluation mode whose parameters, biases and gains of norms included, are random."""
    generator, model = torch.Generator().manual_seed(seed), model.double().eval()
    with torch.no_grad():
        for p in model.parameters():
            noise = torch.randn(p.shape, generator=generator, dtype=p.dtype)
            matrix = p.ndim > 1 and p.std() > 0  # else gains (1), biases (0 after rounding) and positions (0)
            p.copy_(noise / p.shape[-1] ** 0.5 if matrix else p.round() + 0.2 * noise)
    return model
