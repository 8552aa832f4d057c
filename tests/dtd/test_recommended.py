"""The plan that is used where none is given: what it is for each make-up, and that relevance does not grow with depth."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from tests.dtd.test_traces import made, rand

BLOCKS = 24
BOUND = 20.0  # Σ|R| at any layer against what is explained


class Mixer(nn.Module):
    """A patch embedding, residual blocks that mix words and channels, a mean, a head: gMLP and ResMLP are of this kind."""

    def __init__(self, gated: bool):
        super().__init__()
        self.gated, self.stem, self.head = gated, nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 3)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(2 * BLOCKS))
        self.words = nn.ModuleList(nn.Linear(4, 4) for _ in range(BLOCKS))
        self.up = nn.ModuleList(nn.Linear(8, 16) for _ in range(BLOCKS))
        self.down = nn.ModuleList(nn.Linear(8 if gated else 16, 8) for _ in range(BLOCKS))

    def forward(self, x):
        a = self.stem(x).flatten(2).mT
        for k, (words, up, down) in enumerate(zip(self.words, self.up, self.down, strict=True)):
            a = a + words(self.norms[2 * k](a).mT).mT
            h = F.gelu(up(self.norms[2 * k + 1](a)))
            a = a + down(h[..., :8] * h[..., 8:] if self.gated else h)
        return self.head(a.mean(1))


class Vision(nn.Module):
    """Patches and a transformer's encoder."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 3)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, BLOCKS // 2, enable_nested_tensor=False)

    def forward(self, x):
        return self.head(self.encoder(self.stem(x).flatten(2).mT).mean(1))


class Tabular(nn.Module):
    """Residual blocks of dense layers."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)) for _ in range(BLOCKS))

    def forward(self, x):
        for part in self.parts:
            x = x + part(x)
        return x


DEEP = {
    "mixer": (lambda: Mixer(False), rand(2, 3, 8, 8)),
    "gated mixer": (lambda: Mixer(True), rand(2, 3, 8, 8)),
    "vision transformer": (Vision, rand(2, 3, 8, 8)),
    "tabular": (Tabular, rand(2, 8)),
}


IDENTITY = dtd.Entry(dtd.where.kind("layer_norm"), dtd.Identity(), optional=True)
EPSILON = dtd.Plan([IDENTITY, (dtd.where.every, dtd.rules.choose("epsilon"))])
UNDER_EPSILON = {  # what the same networks have where sums and dense layers divide by what may cancel
    "mixer": EPSILON,
    "gated mixer": EPSILON,
    "vision transformer": dtd.presets.attnlrp(norm="identity"),
    "tabular": EPSILON,
}

MORE = {"mixer": 1e6, "gated mixer": 1e6, "vision transformer": 5, "tabular": 1e2}  # how much more relevance they have


@pytest.mark.parametrize("name", DEEP)
def test_relevance_does_not_grow_with_depth(name):
    make, x = DEEP[name]
    network = dtd.trace(made(make()), x)
    out = dtd.explain(network, x, 1)
    most = max(out.growth.values())
    assert most < BOUND
    worst = max(float(r.balance.gap.abs().max()) / float(out.initial.abs().max()) for r in out.layers.values())
    assert worst < 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert max(dtd.explain(network, x, 1, UNDER_EPSILON[name]).growth.values()) > MORE[name] * most


@pytest.mark.parametrize("gamma", [0.25, 1.0])
def test_a_sum_under_gamma_grows_by_less_than_its_bound(gamma):
    """``Σ|R_j| / |R| = ((1 + γ) p + n) / (p − n + γ p)`` for positive terms p and negative terms n < p."""

    class Sum(nn.Module):
        def forward(self, a, b):
            return a + b

    a, b = (torch.tensor([v], dtype=torch.double) for v in ([1.0, 1.0, -2.0], [-0.5, 1e-9 - 1, 1.5]))
    network = dtd.trace(Sum(), (a, b))
    plan = dtd.Plan([(dtd.where.kind("sum"), dtd.rules.choose("gamma_signed", "fixed", gamma=gamma))])
    out = dtd.explain(network, (a, b), lambda y: y, plan)
    parts = torch.stack(list(out.relevance.values()))
    large, small = torch.maximum(a.abs(), b.abs()), torch.minimum(a.abs(), b.abs())
    expected = ((1 + gamma) * large + small) / (large - small + gamma * large)
    torch.testing.assert_close(parts.abs().sum(0) / (a + b).abs(), expected, rtol=1e-9, atol=0.0)
    assert float(expected.max()) < (2 + gamma) / gamma
    torch.testing.assert_close(parts.sum(0), a + b)


def convolutional(tail=nn.Identity):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3), tail())


MAKES = {
    "convolutions": (convolutional, rand(2, 3, 8, 8), "ε⁺"),
    "a softmax at the end is no attention": (lambda: convolutional(lambda: nn.Softmax(1)), rand(2, 3, 8, 8), "ε⁺"),
    "attention": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), rand(2, 5, 8), "AttnLRP (Achtibat 2024)"),
    "images": (Vision, rand(2, 3, 8, 8), "AttnLRP (Achtibat 2024) with γ"),
    "dense": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)), rand(2, 4), "generalised γ"),
}


@pytest.mark.parametrize("name", MAKES)
def test_the_note_says_what_it_is_made_of(name):
    make, x, said = MAKES[name]
    assert said in dtd.presets.recommended(dtd.trace(made(make()), x)).note


def test_what_a_relu_follows_is_as_before():
    """A ResNet's sums keep LRP-0: in ε⁺ of Kohlbrenner 2020 nothing else speaks for them."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 2, 3)

        def forward(self, x):
            return self.b((x + self.a(x)).relu()).mean((2, 3))

    x = rand(2, 3, 6, 6)
    network = dtd.trace(made(Residual()), x)
    found, expected = (dtd.explain(network, x, 1, p).relevance for p in (None, dtd.presets.epsilon_plus()))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
