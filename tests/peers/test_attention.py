"""LXT 2.1 and autoLRP 0.2.0 beside dtd's presets for attention; what differs is pinned in docs/conventions.md."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from tests.peers.attention import MODULES, by_autolrp, by_lxt
from tests.peers.libraries import distance
from tests.tiny_transformers import made

pytestmark = pytest.mark.peers


def tokens():
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(0, 30, (2, 6), generator=generator)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def by_dtd(name, plan):
    inputs = {"input_ids": tokens()["input_ids"]}
    output = (lambda y: y.logits) if name == "bert" else (lambda y: y.logits[:, -1])
    return dtd.explain(dtd.trace(made(name, "sdpa"), inputs, output=output), inputs, 1, plan).relevance["input_ids"]


@pytest.mark.parametrize(
    ("name", "rules", "bound"),
    [
        ("bert", "attnLRP", 1e-7),  # LXT divides activations by x + 1e-10: 5e-9 apart
        ("gpt2", "attnLRP", 1e-7),
        ("gpt2", "cp_LRP", 1e-7),
        ("llama", "attnLRP", 1e-5),  # and takes LLaMA's norms in float32: 1e-7 apart
    ],
)
def test_lxt_computes_the_presets(name, rules, bound):
    pytest.importorskip("lxt")
    plan = dtd.presets.attnlrp(epsilon=0) if rules == "attnLRP" else dtd.presets.cp_lrp(epsilon=0)
    assert distance(by_lxt(name, rules, "sdpa", tokens()), by_dtd(name, plan)) < bound


def test_lxt_holds_the_gates_of_llama_in_cp_lrp():
    """LXT's ``cp_LRP`` of LLaMA also stops at the gate of the feed-forward part; dtd's preset halves that product."""
    pytest.importorskip("lxt")
    assert list(MODULES) == ["bert", "gpt2", "llama"]
    found, halves = by_lxt("llama", "cp_LRP", "sdpa", tokens()), by_dtd("llama", dtd.presets.cp_lrp(epsilon=0))
    assert distance(found, halves) > 0.05
    second = dtd.Plan([(dtd.where.kind("product"), dtd.ProductShares(0.0)), *dtd.presets.cp_lrp(epsilon=0).entries])
    first = dtd.Plan([(dtd.where.kind("product"), dtd.ProductShares(1.0)), *dtd.presets.cp_lrp(epsilon=0).entries])
    assert min(distance(found, by_dtd("llama", plan)) for plan in (first, second)) < 1e-5


class Head(nn.Module):
    """Attention without biases and residual sums, where autoLRP's conventions for them do not matter."""

    def __init__(self, kind, bias=False):
        super().__init__()
        self.kind, self.first, self.last = kind, nn.Linear(6, 6, bias=bias), nn.Linear(6, 3, bias=bias)

    def forward(self, x):
        y = self.first(x)
        if self.kind == "product":
            y = x * y
        elif self.kind == "matmul":
            y = (x @ y.mT) @ x
        elif self.kind == "softmax":
            y = torch.softmax(x @ y.mT, -1) @ x
        elif self.kind == "gelu":
            y = F.gelu(y)
        elif self.kind == "sum":
            y = x + y
        return self.last(y[:, 0])


def head(kind, bias=False):
    torch.manual_seed(0)
    return Head(kind, bias).double().eval(), torch.randn(1, 4, 6, dtype=torch.double)


def apart(kind, rules, bias=False):
    """autoLRP starts from 1, dtd from the logit."""
    model, x = head(kind, bias)
    plan = dtd.presets.attnlrp(epsilon=0) if rules == "ATTNLRP" else dtd.presets.cp_lrp(epsilon=0)
    out = dtd.explain(dtd.trace(model, x), x, 1, plan)
    return distance(out.output[0, 1] * by_autolrp(model, x, lambda y: y[0, 1], rules), out.relevance)


@pytest.mark.parametrize("rules", ["ATTNLRP", "CPLRP"])
@pytest.mark.parametrize("kind", ["linear", "matmul", "softmax", "gelu"])
def test_autolrp_without_biases(kind, rules):
    pytest.importorskip("autolrp")
    assert apart(kind, rules) < 1e-8


@pytest.mark.parametrize(
    ("kind", "bias", "measured"), [("linear", True, 0.0093), ("sum", False, 0.103), ("product", False, 0.396)]
)
def test_autolrp_shares_biases_sums_and_products_by_magnitude(kind, bias, measured):
    pytest.importorskip("autolrp")
    assert apart(kind, "ATTNLRP", bias) == pytest.approx(measured, rel=0.02)
