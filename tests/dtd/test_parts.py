"""Explanations within a memory bound: those of the whole batch, from sweeps that save no more than was given."""

import pytest
import torch
from torch import nn

import dtd
from dtd.program import Program
from dtd.rules import choose
from tests.dtd.test_passes import saved_bytes
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
    """Samples and saved bytes of every forward sweep."""
    seen, forward = [], Program.forward

    def watched(program, x):
        state = forward(program, x)
        assert saved_bytes(state) == state.nbytes
        seen.append((len(x), state.nbytes))
        return state

    monkeypatch.setattr(Program, "forward", watched)
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


def test_a_damping_that_knows_its_sample_fits_in_parts(traced):
    network, x = traced
    for epsilon in (dtd.presets.RelativeEpsilon(), dtd.presets.DeviationEpsilon()):
        plan = dtd.Plan.uniform("epsilon", epsilon=epsilon)
        parts = dtd.explain(network, x, 1, plan, memory=10_000)
        torch.testing.assert_close(parts.relevance, dtd.explain(network, x, 1, plan).relevance)


def test_what_one_sample_saves_is_found_once(traced, sweeps):
    network, x = traced
    out = dtd.explain(network, x[:0], 1, PLAN, memory=1)
    assert [samples for samples, _ in sweeps] == [0]
    for expected in ([0, 1, SAMPLES], [0, 1, SAMPLES, SAMPLES]):
        dtd.explain(network, x, 1, PLAN, memory=2**30)
        assert [samples for samples, _ in sweeps] == expected
    assert out.relevance.shape == (0, 5, 4) and all(len(record.balance.first) == 0 for record in out.layers.values())


def test_balances_of_parts_notice_a_change(traced):
    network, x = traced
    out = dtd.explain(network, x, 1, PLAN, memory=2**30)
    x[-1] = 0.5
    with pytest.raises(dtd.StaleError, match="Explain again"):
        _ = out.layers


def test_what_does_not_fit_is_refused(traced):
    network, x = traced
    with pytest.raises(dtd.BudgetError, match=r"One sample needs [\d,]+ bytes; 'memory' is 100. Raise it."):
        dtd.explain(network, x, 1, PLAN, memory=100)
    for target in (torch.tensor([0, 1]), torch.rand(2, 3)):
        with pytest.raises(dtd.InputError, match="one entry for each of the 7 samples"):
            dtd.explain(network, x, target, PLAN, memory=2**30)
    for wrong in (0, -1, 0.5, True, "400"):
        with pytest.raises(dtd.InputError, match=r"'memory' must be a positive integer \(bytes\); found"):
            dtd.explain(network, x, 1, PLAN, memory=wrong)


def test_plans_that_may_look_at_the_whole_batch_are_refused(traced, sweeps):
    network, x = traced
    low = torch.zeros_like(x)
    bounds = dtd.Plan([(dtd.where.first, choose("zbox", low=low, high=low + 1)), ("*", choose("lrp0"))])
    exact = dtd.Plan([("head", dtd.Exact(dtd.Activations())), ("*", choose("lrp0"))])
    damped = dtd.Plan.uniform("epsilon", epsilon=lambda z: 0.3 * z.abs().mean())
    for plan in (bounds, PLAN.explicit(), exact, damped):
        with pytest.raises(dtd.InputError, match=r"Explain x.split\(n\) one after the other"):
            dtd.explain(network, x, 1, plan, memory=2**30)
    assert not sweeps
