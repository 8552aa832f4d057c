"""Fully connected networks of parts that users compose: gates, experts, splines, maxout, layers written by hand."""

import torch
from torch import nn
from torch.nn import functional as F

from experiments.questions.coverage.architectures.base import BATCH, Example, listed, normal, settled

CLASSES = 3


class Gated(nn.Module):
    """A feed-forward part with a gate: ``swiglu``, ``geglu`` or torch's own GLU."""

    def __init__(self, activation):
        super().__init__()
        self.up, self.gate, self.down, self.activation = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, CLASSES), activation

    def forward(self, x):
        if self.activation is F.glu:
            return self.down(F.glu(torch.cat([self.up(x), self.gate(x)], -1)))
        return self.down(self.activation(self.gate(x)) * self.up(x))


class Highway(nn.Module):
    """``t ⊙ h + (1 − t) ⊙ x`` (Srivastava 2015)."""

    def __init__(self):
        super().__init__()
        self.way, self.gate, self.head = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, CLASSES)

    def forward(self, x):
        t = torch.sigmoid(self.gate(x))
        return self.head(t * F.relu(self.way(x)) + (1 - t) * x)


class Experts(nn.Module):
    """A soft mixture of experts, by einsum; ``most`` keeps the best ones only."""

    def __init__(self, most: int | None = None):
        super().__init__()
        self.gate, self.weight, self.most = nn.Linear(6, 4), nn.Parameter(torch.zeros(4, 6, CLASSES)), most

    def forward(self, x):
        share = self.gate(x).softmax(-1)
        found = torch.einsum("bi,eio->beo", x, self.weight)
        if self.most is not None:
            share, chosen = share.topk(self.most, -1)
            found = found.gather(1, chosen[..., None].expand(-1, -1, CLASSES))
        return (share[..., None] * F.leaky_relu(found)).sum(1)


class Splines(nn.Module):
    """A Kolmogorov-Arnold layer: Gaussian basis functions of each input with learned weights (Liu 2024)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("centres", torch.linspace(-2, 2, 5))
        self.base, self.weight = nn.Linear(6, 8), nn.Parameter(torch.zeros(8, 6, 5))
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        basis = torch.exp(-(x[..., None] - self.centres).square())
        return self.head(self.base(F.silu(x)) + torch.einsum("bik,oik->bo", basis, self.weight))


class ByHand(nn.Module):
    """Linear layers and a LayerNorm without modules: ``x @ W.T + b``, mean, variance, rsqrt."""

    def __init__(self):
        super().__init__()
        self.first, self.bias = nn.Parameter(torch.zeros(8, 6)), nn.Parameter(torch.zeros(8))
        self.scale, self.shift, self.last = (nn.Parameter(torch.zeros(*s)) for s in ((8,), (8,), (CLASSES, 8)))

    def forward(self, x):
        x = torch.clamp(x @ self.first.T + self.bias, min=0)
        centred = x - x.mean(-1, keepdim=True)
        x = centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + 1e-5) * self.scale + self.shift
        return torch.matmul(x, self.last.t())


class Maxout(nn.Module):
    """The maximum of affine functions, by torch.maximum and by amax (Goodfellow 2013)."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 4 * CLASSES)

    def forward(self, x):
        return self.three(torch.maximum(self.one(x), self.two(x))).unflatten(1, (4, CLASSES)).amax(1)


class Factorised(nn.Module):
    """A factorisation machine: squares of sums less sums of squares (Rendle 2010), with a log-softmax."""

    def __init__(self):
        super().__init__()
        self.linear, self.factors = nn.Linear(6, CLASSES), nn.Parameter(torch.zeros(6, CLASSES))

    def forward(self, x):
        pairs = (x @ self.factors).square() - x.square() @ self.factors.square()
        return F.log_softmax(self.linear(x) + 0.5 * pairs, dim=-1)


class Cross(nn.Module):
    """A deep and cross network: ``x₀ ⊙ (W x + b) + x`` (Wang 2021)."""

    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.ModuleList(nn.Linear(6, 6) for _ in range(2)), nn.Linear(6, CLASSES)

    def forward(self, start):
        x = start
        for layer in self.layers:
            x = start * layer(x) + x
        return self.head(x)


def rows(model: nn.Module) -> Example:
    return Example(settled(model), normal(BATCH, 6))


MAKERS = {
    "mlp": lambda: rows(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, CLASSES))),
    "mlp_tanh": lambda: rows(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, CLASSES))),
    "autoencoder": lambda: rows(nn.Sequential(nn.Linear(6, 2), nn.ReLU(), nn.Linear(2, 6), nn.Sigmoid())),
    "swiglu": lambda: rows(Gated(F.silu)),
    "geglu": lambda: rows(Gated(F.gelu)),
    "glu": lambda: rows(Gated(F.glu)),
    "highway": lambda: rows(Highway()),
    "soft_experts": lambda: rows(Experts()),
    "best_experts": lambda: rows(Experts(2)),
    "kan": lambda: rows(Splines()),
    "linear_by_hand": lambda: rows(ByHand()),
    "maxout": lambda: rows(Maxout()),
    "factorisation_machine": lambda: rows(Factorised()),
    "deep_and_cross": lambda: rows(Cross()),
}
ARCHITECTURES = listed("user, blocks", {f"user.{name}": make for name, make in MAKERS.items()})
