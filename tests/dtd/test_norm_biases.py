"""MLP-Mixers whose norms have biases: relevance outgrows what is explained, with a fixed bias more than with a neuron."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd

SEEDS = range(5)


class Mix(nn.Module):
    """One block: a dense pair along the tokens, one along the channels, each in a residual sum after a norm."""

    def __init__(self, width=16, tokens=8):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.along = nn.ModuleList([nn.Linear(tokens, 2 * tokens), nn.Linear(2 * tokens, tokens)])
        self.across = nn.ModuleList([nn.Linear(width, 2 * width), nn.Linear(2 * width, width)])

    def forward(self, x):
        x = x + self.along[1](F.gelu(self.along[0](self.first(x).mT))).mT
        return x + self.across[1](F.gelu(self.across[0](self.second(x))))


class Mixer(nn.Module):
    """Blocks, a norm, a head on the mean; norm biases 0.1 N(0, 1)."""

    def __init__(self, blocks):
        super().__init__()
        self.blocks, self.head = nn.Sequential(*(Mix() for _ in range(blocks)), nn.LayerNorm(16)), nn.Linear(16, 3)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                nn.init.normal_(module.bias, 0, 0.1)

    def forward(self, x):
        return self.head(self.blocks(x).mean(1))


def growths(blocks, bias):
    """``Σ|R| / |output|`` at the input, seed by seed, in order of size."""
    found = []
    plan = dtd.Plan([(dtd.where.kind("layer_norm"), dtd.HeldScale(bias)), *dtd.presets.transformers_2022().entries])
    for seed in SEEDS:
        torch.manual_seed(seed)
        model, x = Mixer(blocks).double().eval(), torch.randn(1, 8, 16, dtype=torch.double)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = dtd.explain(dtd.trace(model, x), x, 1, plan)
        found.append(float(out.relevance.abs().sum() / out.initial.abs().sum()))
    return sorted(found)


@pytest.mark.parametrize("blocks", [2, 4, 8])
def test_a_norms_bias_as_a_neuron_keeps_relevance_smaller(blocks):
    fixed, neuron = growths(blocks, "fixed"), growths(blocks, "neuron")
    assert neuron[len(SEEDS) // 2] < fixed[len(SEEDS) // 2]  # the medians
    assert neuron[-1] < fixed[-1] and neuron[len(SEEDS) // 2] < 30
