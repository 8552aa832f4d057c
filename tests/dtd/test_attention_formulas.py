"""Presets for attention and recurrent gates, with ε and γ, against the papers' formulas layer by layer."""

import pytest
import torch
from torch import nn

import dtd
from tests.layer_formulas import Attention, Cells, Linear, arras
from tests.transformers_by_hand import Block, randomised

EXACT = 1e-10


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.double)


def distance(found, expected):
    """The largest difference, against the largest relevance."""
    assert expected.abs().max() > 0 and found.isfinite().all()
    return float((found - expected).abs().max() / expected.abs().max())


def block(causal):
    return randomised(nn.Sequential(Block(6, 2, causal=causal)))


CASES = {
    "attnlrp, ε": (dtd.presets.attnlrp(epsilon=0.05), Attention(Linear(epsilon=0.05))),
    "attnlrp, γ": (dtd.presets.attnlrp(gamma=0.3), Attention(Linear(gamma=0.3))),
    "cp_lrp, ε": (dtd.presets.cp_lrp(epsilon=0.05), Attention(Linear(epsilon=0.05), attention_held=True)),
    "cp_lrp, γ": (dtd.presets.cp_lrp(gamma=0.3), Attention(Linear(gamma=0.3), attention_held=True)),
    "transformers_2022": (dtd.presets.transformers_2022(), Attention(Linear(), attention_held=True)),
    "transformers_2022, γ": (dtd.presets.transformers_2022(gamma=0.3), Attention(Linear(gamma=0.3), attention_held=True)),
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_block_by_formulas(case, causal):
    plan, formulas = CASES[case]
    model, x = block(causal), drawn(2, 4, 6)
    network, expected = dtd.trace(model, x), formulas(model[0], x, model(x).detach())
    for fast in (True, False):
        out = dtd.explain(network, x, lambda y: y, plan, fast=fast)
        assert distance(out.relevance, expected.detach()) < EXACT


def test_formulas_that_are_broken_are_seen():
    model, x = block(True), drawn(2, 4, 6)
    found = dtd.explain(dtd.trace(model, x), x, lambda y: y, dtd.presets.attnlrp(epsilon=0.05)).relevance
    y = model(x).detach()
    for other in (Linear(), Linear(gamma=0.3)):
        assert distance(found, Attention(other)(model[0], x, y).detach()) > 1e-3
    assert distance(found, Attention(Linear(epsilon=0.05), attention_held=True)(model[0], x, y).detach()) > 1e-2


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("epsilon", [1e-3, 0.1])
def test_an_lstm_by_the_formulas_of_arras(epsilon, steps):
    model, x = randomised(Cells(), 3), drawn(2, steps, 3)
    network = dtd.trace(model, x)
    expected = arras(model, x, model(x).detach(), Linear(epsilon=epsilon)).detach()
    for fast in (True, False):
        out = dtd.explain(network, x, lambda y: y, dtd.presets.lstm_2017(epsilon), fast=fast)
        assert distance(out.relevance, expected) < EXACT
        gates = [r for name, r in out.layers.items() if name.startswith(("own.0", "own.1", "own.3"))]
        assert gates and all(r.magnitude.abs().max() == 0 for r in gates)
    halves = dtd.Plan([(dtd.where.kind("product"), dtd.ProductShares(0.5)), *dtd.presets.lstm_2017(epsilon).entries])
    assert distance(dtd.explain(network, x, lambda y: y, halves).relevance, expected) > 1e-2
