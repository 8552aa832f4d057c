"""Sequences as users write them: convolutions in time, a state space by hand, bags of words, GPT and LLaMA in a page."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, settled, token_ids

WIDTH, TIMES, CLASSES = 8, 6, 3


class CausalConvolutions(nn.Module):
    """Dilated causal convolutions with residual sums (TCN; Bai 2018)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 2, dilation=2**i) for i in range(2))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = x.transpose(1, 2)
        for i, layer in enumerate(self.layers):
            x = F.relu(layer(F.pad(x, (2**i, 0)))) + x
        return self.head(x[..., -1])


class GatedConvolutions(nn.Module):
    """``tanh ⊙ sigmoid`` convolutions, as WaveNet has them (van den Oord 2016)."""

    def __init__(self):
        super().__init__()
        self.filter, self.gate = nn.Conv1d(WIDTH, WIDTH, 2), nn.Conv1d(WIDTH, WIDTH, 2)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = x.transpose(1, 2)
        return self.head((torch.tanh(self.filter(x)) * torch.sigmoid(self.gate(x))).mean(-1))


class SelectiveScan(nn.Module):
    """A selective state space, its scan a loop over time (Mamba; Gu 2023)."""

    def __init__(self, states: int = 4):
        super().__init__()
        self.project, self.conv = nn.Linear(WIDTH, 2 * WIDTH), nn.Conv1d(WIDTH, WIDTH, 3, padding=2, groups=WIDTH)
        self.b, self.c, self.step = nn.Linear(WIDTH, states), nn.Linear(WIDTH, states), nn.Linear(WIDTH, WIDTH)
        self.log_a, self.d = nn.Parameter(torch.zeros(WIDTH, states)), nn.Parameter(torch.zeros(WIDTH))
        self.out = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x, gate = self.project(x).chunk(2, -1)
        x = F.silu(self.conv(x.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2)
        step, b, c, a = F.softplus(self.step(x)), self.b(x), self.c(x), -torch.exp(self.log_a)
        state, found = x.new_zeros(x.shape[0], *a.shape), []
        for t in range(x.shape[1]):
            decay = torch.exp(step[:, t, :, None] * a)
            state = decay * state + step[:, t, :, None] * b[:, t, None] * x[:, t, :, None]
            found.append((state * c[:, t, None]).sum(-1))
        y = (torch.stack(found, 1) + self.d * x) * F.silu(gate)
        return self.out(y[:, -1])


class BagOfWords(nn.Module):
    """The mean of word vectors: fastText; ``bag`` uses ``nn.EmbeddingBag``."""

    def __init__(self, bag: bool):
        super().__init__()
        self.words = nn.EmbeddingBag(50, WIDTH, mode="mean") if bag else nn.Embedding(50, WIDTH)
        self.head, self.bag = nn.Linear(WIDTH, CLASSES), bag

    def forward(self, ids):
        return self.head(self.words(ids) if self.bag else self.words(ids).mean(1))


class TextCNN(nn.Module):
    """Convolutions of several widths and maxima over time (Kim 2014)."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, WIDTH)
        self.convolutions = nn.ModuleList(nn.Conv1d(WIDTH, 5, k) for k in (2, 3))
        self.head = nn.Linear(10, CLASSES)

    def forward(self, ids):
        x = self.words(ids).transpose(1, 2)
        return self.head(torch.cat([F.relu(layer(x)).max(dim=-1).values for layer in self.convolutions], 1))


class NanoGPT(nn.Module):
    """A block of a GPT as tutorials write it: a causal mask in a buffer, positions by arange, tied weights."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(50, WIDTH), nn.Embedding(16, WIDTH)
        self.first, self.second, self.final = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attend, self.project = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 16), nn.GELU(), nn.Linear(16, WIDTH))
        self.register_buffer("seen", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))

    def forward(self, ids):
        batch, times = ids.shape
        x = self.words(ids) + self.places(torch.arange(times, device=ids.device))
        q, k, v = (each.view(batch, times, 2, -1).transpose(1, 2) for each in self.attend(self.first(x)).split(WIDTH, 2))
        scores = (q @ k.transpose(-2, -1)) / (WIDTH // 2) ** 0.5
        share = scores.masked_fill(self.seen[:, :, :times, :times] == 0, float("-inf")).softmax(-1)
        x = x + self.project((share @ v).transpose(1, 2).reshape(batch, times, WIDTH))
        x = x + self.mlp(self.second(x))
        return (self.final(x) @ self.words.weight.T)[:, -1]


class Rotary(nn.Module):
    """Attention with rotary positions, RMSNorm by hand, torch's fused attention and a SwiGLU part."""

    def __init__(self):
        super().__init__()
        self.scale, self.qkv, self.out = (
            nn.Parameter(torch.ones(WIDTH)),
            nn.Linear(WIDTH, 3 * WIDTH, bias=False),
            nn.Linear(8, 8),
        )
        self.gate, self.up, self.down = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False), nn.Linear(12, CLASSES)

    def norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale

    def turned(self, x):
        angle = torch.arange(x.shape[2], dtype=x.dtype)[:, None] * 0.1 ** torch.arange(2, dtype=x.dtype)
        cos, sin = (torch.cat([part, part], -1) for part in (angle.cos(), angle.sin()))
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat([-b, a], -1) * sin

    def forward(self, x):
        batch, times, _ = x.shape
        q, k, v = (e.view(batch, times, 2, 4).transpose(1, 2) for e in self.qkv(self.norm(x)).chunk(3, -1))
        found = F.scaled_dot_product_attention(self.turned(q), self.turned(k), v, is_causal=True)
        x = x + self.out(found.transpose(1, 2).reshape(batch, times, WIDTH))
        x = self.norm(x)
        return self.down(F.silu(self.gate(x)) * self.up(x))[:, -1]


class Cumulative(nn.Module):
    """Running means by ``cumsum``, held values by ``detach``, and a mask made of the values."""

    def __init__(self):
        super().__init__()
        self.one, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = self.one(x).cumsum(1) / torch.arange(1, x.shape[1] + 1, dtype=x.dtype)[:, None]
        x = torch.where(x > 0, x, 0.1 * x) / (1 + x.abs().detach())
        return self.head(x[:, -1])


class Fourier(nn.Module):
    """Sines and cosines of projections, a power and a square root (random Fourier features)."""

    def __init__(self):
        super().__init__()
        self.project, self.head = nn.Linear(WIDTH, 5), nn.Linear(11, CLASSES)

    def forward(self, x):
        z = self.project(x.mean(1))
        return self.head(torch.cat([z.sin(), z.cos(), (z.pow(2).sum(1, keepdim=True) + 1).sqrt()], 1))


def sequence(model: nn.Module) -> Example:
    return Example(settled(model), normal(BATCH, TIMES, WIDTH))


def ids(model: nn.Module) -> Example:
    return Example(settled(model), token_ids())


MAKERS = {
    "causal_convolutions": lambda: sequence(CausalConvolutions()),
    "wavenet": lambda: sequence(GatedConvolutions()),
    "selective_scan": lambda: sequence(SelectiveScan()),
    "bag_of_words": lambda: ids(BagOfWords(False)),
    "embedding_bag": lambda: ids(BagOfWords(True)),
    "text_cnn": lambda: ids(TextCNN()),
    "nano_gpt": lambda: ids(NanoGPT()),
    "rotary": lambda: sequence(Rotary()),
    "cumulative": lambda: sequence(Cumulative()),
    "fourier_features": lambda: sequence(Fourier()),
}
ARCHITECTURES = listed("user, sequences", {f"user.{name}": make for name, make in MAKERS.items()})
