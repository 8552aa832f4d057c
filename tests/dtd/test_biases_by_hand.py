"""``x @ W.T + b`` written by hand is ``nn.Linear``, under every rule and bias mode."""

import pytest
import torch
from torch.nn import functional as F

import dtd
from tests.dtd.test_experts import Called
from tests.dtd.test_traces import rand

EXACT = {"rtol": 1e-12, "atol": 1e-14}
W, B, V = rand(4, 3, seed=1) - 0.5, rand(4, seed=2) - 0.5, rand(2, 4, seed=3) - 0.5
K, C = rand(4, 3, 2, 2, seed=4) - 0.5, rand(4, seed=5) - 0.5
WORDS, VECTOR, IMAGE = rand(2, 5, 3, seed=6), rand(2, 3, seed=6), rand(2, 3, 4, 4, seed=7)


def head(a):
    return F.linear(a.relu(), V)


FORMS = {  # written by hand, as torch's layer, input
    "x @ W.T + b": (lambda x: head(x @ W.mT + B), lambda x: head(F.linear(x, W, B)), VECTOR),
    "b + x @ W.T": (lambda x: head(B + x @ W.mT), lambda x: head(F.linear(x, W, B)), VECTOR),
    "on words": (lambda x: head(x @ W.mT + B), lambda x: head(F.linear(x, W, B)), WORDS),
    "b with axes": (lambda x: head(F.linear(x, W) + B[None, None]), lambda x: head(F.linear(x, W, B)), WORDS),
    "one number": (lambda x: head(x @ W.mT + 0.3), lambda x: head(F.linear(x, W, 0.3 + 0 * B)), VECTOR),
    "minus b": (lambda x: head(x @ W.mT - B), lambda x: head(F.linear(x, W, -B)), VECTOR),
    "einsum": (lambda x: head(torch.einsum("btj,kj->btk", x, W) + B), lambda x: head(F.linear(x, W, B)), WORDS),
    "addmm": (lambda x: head(torch.addmm(B, x, W.mT)), lambda x: head(F.linear(x, W, B)), VECTOR),
    "convolution": (
        lambda x: (F.conv2d(x, K) + C[:, None, None]).relu().mean((2, 3)),
        lambda x: F.conv2d(x, K, C).relu().mean((2, 3)),
        IMAGE,
    ),
    "then a batch norm": (
        lambda x: head(F.batch_norm(x @ W.mT + B, C, 1 + C.abs(), B, C)),
        lambda x: head(F.batch_norm(F.linear(x, W, B), C, 1 + C.abs(), B, C)),
        VECTOR,
    ),
}
RULES = {"lrp0": {}, "epsilon": {"epsilon": 0.1}, "gamma_signed": {"gamma": 0.3}, "zplus_signed": {}, "wsquare": {}}


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", FORMS)
def test_a_bias_by_hand_is_a_bias(name, rule, bias):
    by_hand, layer, x = FORMS[name]
    plan = dtd.Plan.uniform(rule, bias, **RULES[rule])
    found, expected = (dtd.explain(dtd.trace(Called(f).eval(), x), x, lambda y: y, plan) for f in (by_hand, layer))
    torch.testing.assert_close(found.output, expected.output, **EXACT)
    torch.testing.assert_close(found.relevance, expected.relevance, **EXACT)
    assert not any(record.layer.kind == "shift" for record in found.layers.values())


P = rand(5, 4, seed=8)


def read_twice(x):
    a = x @ W.mT
    return head(a + B) + head(a)


APART = {  # what is added is no bias of a layer, or of one that others read too
    "positions": lambda x: head(x @ W.mT + P),
    "two readers": read_twice,
    "two biases": lambda x: head(F.linear(x, W, B) + B),
    "behind a ReLU": lambda x: head((x @ W.mT).relu() + B),
}


@pytest.mark.parametrize("name", APART)
def test_another_sum_with_a_constant_stays_one(name):
    network = dtd.trace(Called(APART[name]).eval(), WORDS)
    assert [layer.kind for layer in network.layers].count("shift") == 1
