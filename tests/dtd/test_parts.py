"""Explanations within a memory bound: those of the whole batch, from sweeps that save no more than was given."""

import pytest
import torch
from torch import nn

import dtd
from dtd.explaining import memory
from dtd.explaining.request import Request
from dtd.fast.blocks import footprint
from dtd.fast.program import Program
from dtd.plans.rules import choose
from tests.helpers import saved_bytes
from tests.models import randomised

SAMPLES = 7


class Attention(nn.Module):
    """Softmax, products and a layer norm between dense layers."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(4, 4) for _ in range(3))
        self.norm, self.head = nn.LayerNorm(4), nn.Linear(20, 3)

    def forward(self, x):
        weights = (self.query(x) @ self.key(x).mT).softmax(-1)
        return self.head(torch.relu(self.norm(weights @ self.value(x)) * x).flatten(1))


@pytest.fixture
def traced():
    model = randomised(Attention())
    x = torch.rand(SAMPLES, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


@pytest.fixture
def sweeps(monkeypatch):
    """Samples and saved bytes of every forward sweep, those that measure what one sample saves included."""
    seen, forward = [], Program.forward

    def watched(program, values):
        state, x = forward(program, values), values[-1]
        assert 0 <= saved_bytes(state) - state.nbytes <= x.untyped_storage().nbytes()  # of x some samples alone may be saved
        seen.append((len(x), state.nbytes))
        return state

    def measured(program, values):
        found = footprint(program, values)
        assert found.total == forward(program, values).nbytes
        seen.append((len(values[-1]), found.total))
        return found

    monkeypatch.setattr(Program, "forward", watched)
    monkeypatch.setattr(memory, "footprint", measured)
    return seen


PLAN = dtd.Plan.uniform("alphabeta")
TARGETS = {
    "class": 1,
    "classes": torch.tensor([0, 1, 2, 2, 1, 0, 1]),
    "one for all": torch.tensor(2),
    "relevance": torch.rand(SAMPLES, 3, dtype=torch.double),
    "function": lambda y: y.square(),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_parts_are_the_whole_within_the_bound(traced, sweeps, target):
    network, x = traced
    whole = dtd.explain(network, x, target, PLAN)
    dtd.explain(network, x[:1], 1, PLAN)
    bound = int(2.5 * sweeps[-1][1])
    sweeps.clear()
    parts = dtd.explain(network, x, target, PLAN, memory=bound)
    assert [samples for samples, _ in sweeps] == [1, 2, 2, 2, 1] and max(saved for _, saved in sweeps) <= bound
    for name in ("relevance", "output", "initial"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))
    torch.testing.assert_close(parts.conservation(), whole.conservation())
    assert list(parts.layers) == list(whole.layers)
    for name, record in parts.layers.items():
        expected = whole.layers[name]
        assert (record.layer, record.model) == (expected.layer, expected.model)
        for found, sums in zip(record.balance.parts(), expected.balance.parts(), strict=True):
            torch.testing.assert_close(found, sums)


def test_memory_that_tensors_share_is_counted_as_it_is(traced):
    class Chunks(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.high = nn.Linear(20, 192), nn.Linear(64, 3)

        def forward(self, x):
            q, k, v = self.low(x.flatten(1)).chunk(3, -1)
            return self.high(q * k + v)

    x = traced[1]
    network, plan = dtd.trace(randomised(Chunks()), x), dtd.Plan.uniform("lrp0")
    with torch.no_grad():
        swept = Request.of(network, x, plan, None, fast=True).sweep().swept
    assert swept.nbytes == saved_bytes(swept)


def test_micro_batches_stay_within_the_bound(monkeypatch, sweeps):
    """What goes from one micro-batch to the whole is saved below, and read above as a copy."""
    below = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 6, 3))
    model, x = nn.Sequential(below, nn.Conv2d(6, 1, 3), nn.Flatten(), nn.Linear(16, 3)), torch.rand(100, 2, 8, 8)
    network, plan = dtd.trace(model, x), dtd.Plan([("0.3", choose("lrp0", "neuron")), ("*", choose("zplus_signed"))])
    whole = dtd.explain(network, x, 1, plan).relevance
    monkeypatch.setattr("dtd.fast.program.LARGE_TENSOR", 3 * 2**13)
    sweeps.clear()
    bound = 130_000
    parts = dtd.explain(network, x, 1, plan, memory=bound).relevance
    assert sweeps[1][0] < bound // sweeps[0][1] and bound / 2 < sweeps[1][1] <= bound
    torch.testing.assert_close(parts, whole)


def test_a_damping_that_knows_its_sample_fits_in_parts(traced):
    network, x = traced
    for epsilon in (dtd.presets.RelativeEpsilon(), dtd.presets.DeviationEpsilon()):
        plan = dtd.Plan.uniform("epsilon", epsilon=epsilon)
        parts = dtd.explain(network, x, 1, plan, memory=10_000)
        torch.testing.assert_close(parts.relevance, dtd.explain(network, x, 1, plan).relevance)


def test_what_one_sample_saves_is_found_once(traced, sweeps):
    network, x = traced
    out = dtd.explain(network, x[:0], 1, PLAN, memory=1)  # nothing is saved of no sample
    assert [samples for samples, _ in sweeps] == [0]
    for expected in ([0, 1, SAMPLES], [0, 1, SAMPLES, SAMPLES]):
        dtd.explain(network, x, 1, PLAN, memory=2**30)
        assert [samples for samples, _ in sweeps] == expected
    assert out.relevance.shape == (0, 5, 4) and all(len(record.balance.first) == 0 for record in out.layers.values())


def test_balances_of_parts_notice_a_change(traced):
    network, x = traced
    out = dtd.explain(network, x, 1, PLAN, memory=10_000)
    x[-1] = 0.5
    with pytest.raises(dtd.StaleError, match="Explain again"):
        _ = out.layers


def test_what_does_not_fit_is_refused(traced, sweeps):
    network, x = traced
    with pytest.raises(dtd.BudgetError, match=r"One sample needs [\d,]+ bytes; 'memory' is 100. Raise it."):
        dtd.explain(network, x, 1, PLAN, memory=100)
    for target in (torch.tensor([0, 1]), torch.rand(2, 3), torch.rand(7, 2), torch.tensor([0] * 6 + [3]), 3, x > 0):
        with pytest.raises(dtd.InputError) as whole:
            dtd.explain(network, x, target, PLAN)
        sweeps.clear()
        with pytest.raises(dtd.InputError) as parts:
            dtd.explain(network, x, target, PLAN, memory=2**30)
        assert str(parts.value) == str(whole.value) and not sweeps
    for wrong in (0, -1, 0.5, True, "400"):
        with pytest.raises(dtd.InputError, match=r"'memory' must be a positive integer \(bytes\); found"):
            dtd.explain(network, x, 1, PLAN, memory=wrong)


def test_plans_that_may_look_at_the_whole_batch_are_refused(traced, sweeps):
    network, x = traced
    low = torch.zeros_like(x)
    bounds = dtd.Plan([(dtd.where.first, choose("zbox", low=low, high=low + 1)), ("*", choose("lrp0"))])
    exact = dtd.Plan([("head", dtd.Exact(dtd.Activations())), ("*", choose("lrp0"))])
    damped = dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.3 * z.abs().mean())
    pooled = nn.Sequential(nn.Unflatten(1, (5, 1)), nn.MaxPool2d((1, 2)), nn.Flatten(), nn.Linear(10, 3)).double()
    average = dtd.MaxAsAverage(choose("epsilon", epsilon=lambda z: 0.3 * z.abs().mean()))
    with pytest.raises(dtd.InputError, match=r"Explain x.split\(n\) one after the other"):
        plan = dtd.Plan([(dtd.where.kind("max_pool"), average), ("*", choose("lrp0"))])
        dtd.explain(dtd.trace(pooled, x), x, 1, plan, memory=2**30)
    for plan in (bounds, bounds.explicit(), exact, damped, damped.explicit()):
        with pytest.raises(dtd.InputError, match=r"Explain x.split\(n\) one after the other"):
            dtd.explain(network, x, 1, plan, memory=2**30)
    assert not sweeps
