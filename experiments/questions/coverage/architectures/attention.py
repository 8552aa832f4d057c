"""torch's attention: ``nn.MultiheadAttention`` and ``nn.Transformer*`` in both layouts, with and without masks."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, settled, token_ids

WIDTH, HEADS, TIMES, CLASSES = 8, 2, 5, 3


class Attention(nn.Module):
    """Self-attention and a classifier on the mean over positions; the input is given batch first."""

    def __init__(self, causal: bool = False, **options):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(WIDTH, HEADS, **options), nn.Linear(WIDTH, CLASSES)
        self.causal, self.batch_first = causal, options.get("batch_first", False)

    def forward(self, x):
        x = x if self.batch_first else x.transpose(0, 1)
        mask = nn.Transformer.generate_square_subsequent_mask(TIMES, dtype=x.dtype) if self.causal else None
        found, _ = self.attention(x, x, x, attn_mask=mask)
        return self.head(found.mean(1 if self.batch_first else 0))


class Cross(nn.Module):
    """Attention from one sequence to another: two inputs."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, kdim=4, vdim=4, batch_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, query, memory):
        return self.head(self.attention(query, memory, memory, need_weights=False)[0].mean(1))


class Padded(nn.Module):
    """An encoder with a key padding mask made of the token ids, learned positions and a class token."""

    def __init__(self):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(50, WIDTH, padding_idx=0), nn.Parameter(torch.zeros(1, 8, WIDTH))
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(WIDTH, HEADS, 16, batch_first=True), 2)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids):
        x = torch.cat([self.token.expand(ids.shape[0], -1, -1), self.embedding(ids)], 1) + self.positions
        hidden = F.pad(ids == 0, (1, 0), value=False)
        return self.head(self.encoder(x, src_key_padding_mask=hidden)[:, 0])


class Encoder(nn.Module):
    """Encoder layers and a classifier."""

    def __init__(self, causal: bool = False, **options):
        super().__init__()
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(WIDTH, HEADS, 16, **options), 2)
        self.head, self.causal, self.batch_first = nn.Linear(WIDTH, CLASSES), causal, options.get("batch_first", False)

    def forward(self, x):
        x = x if self.batch_first else x.transpose(0, 1)
        mask = nn.Transformer.generate_square_subsequent_mask(TIMES, dtype=x.dtype) if self.causal else None
        found = self.encoder(x, mask=mask, is_causal=self.causal)
        return self.head(found[:, -1] if self.batch_first else found[-1])


class Decoder(nn.Module):
    """Decoder layers that attend to a memory: two inputs."""

    def __init__(self):
        super().__init__()
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(WIDTH, HEADS, 16, batch_first=True), 2)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, target, memory):
        return self.head(self.decoder(target, memory)[:, -1])


class Whole(nn.Module):
    """``nn.Transformer`` with a causal mask for its target."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(WIDTH, HEADS, 1, 1, 16, batch_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1], dtype=source.dtype)
        return self.head(self.transformer(source, target, tgt_mask=mask)[:, -1])


class Linearised(nn.Module):
    """Linear attention: queries and keys through ``elu + 1``, divided by their sum (Katharopoulos 2020)."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        q, k = F.elu(self.q(x)) + 1, F.elu(self.k(x)) + 1
        found = torch.einsum("btd,bde->bte", q, torch.einsum("btd,bte->bde", k, self.v(x)))
        return self.head((found / torch.einsum("btd,bd->bt", q, k.sum(1))[..., None]).mean(1))


def sequence(model: nn.Module) -> Example:
    return Example(settled(model), normal(BATCH, TIMES, WIDTH))


def two(model: nn.Module, names: tuple[str, str], second: int = WIDTH) -> Example:
    """A model of two sequences of different lengths."""
    inputs = (normal(BATCH, 3, WIDTH), normal(BATCH, TIMES, second))
    return Example(settled(model), dict(zip(names, inputs, strict=True)))


MAKERS = {
    "multihead": lambda: sequence(Attention(batch_first=True)),
    "multihead_time_first": lambda: sequence(Attention()),
    "multihead_causal": lambda: sequence(Attention(causal=True, batch_first=True)),
    "multihead_bias_kv": lambda: sequence(Attention(batch_first=True, add_bias_kv=True)),
    "multihead_zero_attention": lambda: sequence(Attention(batch_first=True, add_zero_attn=True, bias=False)),
    "cross_attention": lambda: two(Cross(), ("query", "memory"), 4),
    "encoder": lambda: sequence(Encoder(batch_first=True)),
    "encoder_time_first": lambda: sequence(Encoder()),
    "encoder_norm_first": lambda: sequence(Encoder(batch_first=True, norm_first=True, activation="gelu")),
    "encoder_causal": lambda: sequence(Encoder(causal=True, batch_first=True)),
    "encoder_padded": lambda: Example(settled(Padded()), token_ids()),
    "decoder": lambda: two(Decoder(), ("target", "memory")),
    "transformer": lambda: two(Whole(), ("source", "target")),
    "linear_attention": lambda: sequence(Linearised()),
}
ARCHITECTURES = listed("attention", {f"attention.{name}": make for name, make in MAKERS.items()})
