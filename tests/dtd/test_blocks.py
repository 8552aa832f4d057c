"""One sample in blocks of layers: the same explanation, and what is held at once stays within the bound."""

import pytest
import torch
from torch import nn

import dtd
from dtd.explaining.request import Request
from dtd.fast.blocks import Blocks, Footprint, footprint
from dtd.fast.segment import Segment
from tests.helpers import saved_bytes
from tests.models import randomised

DEPTH = 6


class Deep(nn.Module):
    """Residual blocks of attention and dense layers over ids with a mask; the first words are read again at the top."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(30, 8)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu") for _ in range(DEPTH)
        )
        self.head = nn.Linear(16, 3)

    def forward(self, ids, mask):
        first = x = self.table(ids)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=mask == 0)
        return self.head(torch.cat([x.mean(1), first.mean(1)], -1))


@pytest.fixture(scope="module")
def traced():
    ids = torch.randint(0, 30, (3, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones(3, 12, dtype=torch.long)
    mask[1, 9:] = 0
    inputs = {"ids": ids, "mask": mask}
    return dtd.trace(randomised(Deep()), inputs), inputs


@pytest.fixture
def held(monkeypatch):
    """Bytes that are held when the pass of each segment begins: what its block saved, and the borders that are left."""
    seen, descend, forward = [], Segment.descend, Blocks.forward
    left = []

    def swept(program, values):
        found = forward(program, values)
        left.append(found)
        return found

    def watched(segment, pending, release, watch=None):
        if left:
            borders = [value for each in left[-1].lower for j, value in each.kept.items() if j >= 0]
            state = left[-1]._replace(lower=[], upper=Segment((), [segment.saved, borders], dict(segment.kept)))
            seen.append(saved_bytes(state))
        descend(segment, pending, release, watch)

    monkeypatch.setattr(Blocks, "forward", swept)
    monkeypatch.setattr(Segment, "descend", watched)
    return seen


def saved_of_one(network, inputs, plan):
    """What one sample saves."""
    request = Request.of(network, inputs, plan, None, fast=True)
    one = request.of_rows(inputs, slice(0, 1))
    with torch.no_grad():
        return footprint(one.program, one.reading.values)


PLANS = {
    "epsilon": dtd.Plan.uniform("epsilon", epsilon=0.1, bias="neuron"),
    "attnlrp": dtd.presets.attnlrp(epsilon=0.1),
    "signed": dtd.presets.attnlrp(gamma=0.25),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("share", [0.6, 0.35])
def test_blocks_are_the_whole_within_the_bound(traced, held, plan, share):
    network, inputs = traced
    whole = dtd.explain(network, inputs, 1, plan, at=["layers.1.*"])
    one = saved_of_one(network, inputs, plan)
    bound = int(share * one.total)
    parts = dtd.explain(network, inputs, 1, plan, at=["layers.1.*"], memory=bound)
    _, peak = one.starts(bound)
    assert len(held) >= 2 * len(inputs["ids"]) and 0.9 * peak < max(held) <= peak <= bound
    torch.testing.assert_close(parts.relevance["ids"], whole.relevance["ids"])
    torch.testing.assert_close(parts.output, whole.output)
    assert set(parts.at) == set(whole.at)
    for name, each in parts.at.items():
        torch.testing.assert_close(each.output, whole.at[name].output)


def test_relevance_that_goes_through_channels_goes_through_them_in_blocks(traced):
    network, inputs = traced
    name = next(layer.name for layer in network.layers if layer.name.startswith("layers.3") and layer.kind == "dense")
    asked = {"plan": PLANS["epsilon"], "through": {name: torch.rand(network[name].shape).round().double()}}
    whole = dtd.explain(network, inputs, 1, **asked)
    parts = dtd.explain(network, inputs, 1, **asked, memory=60_000)
    torch.testing.assert_close(parts.relevance["ids"], whole.relevance["ids"])
    assert list(parts.layers) == list(whole.layers)
    torch.testing.assert_close(parts.conservation(), whole.conservation())


def test_fewer_blocks_hold_more_and_the_fewest_that_fit_are_taken(traced):
    network, inputs = traced
    one = saved_of_one(network, inputs, PLANS["attnlrp"])
    assert one.peak((0,)) == one.total
    shares = [one.starts(int(share * one.total)) for share in (1.0, 0.6, 0.4, 0.3)]
    assert [len(starts) for starts, _ in shares] == sorted(len(starts) for starts, _ in shares)
    assert all(least <= share * one.total for (_, least), share in zip(shares, (1.0, 0.6, 0.4, 0.3), strict=True))
    assert shares[0] == ((0,), one.total)


def test_what_the_error_advises_works(traced):
    network, inputs = traced
    with pytest.raises(dtd.BudgetError, match="Raise it") as refused:
        dtd.explain(network, inputs, 1, PLANS["epsilon"], memory=100)
    least = int(str(refused.value).split("needs ")[1].split(" bytes")[0].replace(",", ""))
    assert dtd.explain(network, inputs, 1, PLANS["epsilon"], memory=least).output.shape == (3, 3)
    with pytest.raises(dtd.BudgetError):
        dtd.explain(network, inputs, 1, PLANS["epsilon"], memory=least - 1)


def test_what_blocks_hold_by_hand():
    """Three stages save 10 bytes each, the last one also what it starts from: borders of 4 and 6 bytes lie between."""
    low, high = {("value", 0): 4}, {("value", 1): 6}
    saved = ({("stage", 0, 0): 10}, {("stage", 1, 0): 10}, {("stage", 2, 0): 10} | high)
    footprint = Footprint(saved, ({}, low, high))
    assert footprint.total == 36
    assert [footprint.peak(starts) for starts in ((0,), (0, 1), (0, 2), (0, 1, 2))] == [36, 30, 20, 20]
    assert footprint.starts(36) == ((0,), 36) and footprint.starts(30)[1] <= 30
    assert footprint.starts(19) == ((0, 2), 20)
