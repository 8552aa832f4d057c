"""The explicit reading of any root strategy: what has no fused reading propagates, within its memory."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

import dtd
from tests.models import MODELS, model_and_input


@dataclass(frozen=True)
class Halfway(dtd.RootStrategy):
    """The middle of the segment to the origin: no root, no direction, no factors."""

    def roots(self, units, domain):
        yield 1, dtd.Root(units.activations / (2 * units.z[..., None]), 0 * units.z, units.z == units.z)


def test_a_strategy_needs_no_more_than_roots():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.ReLU()).double()
    x = torch.rand(2, 1, 4, 4, dtype=torch.double)
    network, plan = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), dtd.Plan([("*", Halfway())])
    out = dtd.explain(network, x, lambda y: y, plan)
    whole = dtd.explain(network, x, lambda y: y, dtd.Plan.uniform("lrp0"))
    torch.testing.assert_close(out.relevance, whole.relevance / 2, rtol=1e-12, atol=1e-14)
    balance = out.layers["0"].balance
    torch.testing.assert_close(balance.zeroth, balance.relevance / 2, rtol=1e-12, atol=1e-14)
    assert balance.gap.abs().max() < 1e-12
    assert dtd.audit(network, x, lambda y: y, plan)["not_zero"][0] == 1.0


@pytest.mark.parametrize(("name", "bias"), zip(sorted(MODELS), ("fixed", "neuron", "distribute"), strict=True))
def test_whole_networks_read_alike(name, bias):
    model, x = model_and_input(name)
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    root = dtd.Mix(((0.5, dtd.Ray(dtd.Weights(), bias)), (0.5, dtd.Ray(dtd.Contributions(1), bias))))
    fused, built = (dtd.explain(network, x, 0, dtd.Plan([(dtd.where.every, r)])) for r in (root, dtd.Explicit(root)))
    torch.testing.assert_close(fused.relevance, built.relevance, rtol=1e-10, atol=1e-10 * fused.relevance.abs().max().item())


def test_preconditions_and_memory_are_checked_before_relevance_passes():
    model, x = nn.Linear(3, 2).double(), torch.full((2, 3), -1.0, dtype=torch.double)
    network = dtd.trace(model, x)
    with pytest.raises(dtd.DomainError, match="ZPlus at layer.*NonNegative"):
        dtd.explain(network, x, 0, dtd.Plan([("*", dtd.Explicit(dtd.Ray(dtd.ZPlus())))]))
    with pytest.raises(dtd.BudgetError, match="One unit of layer 'dense' needs about 576 bytes"):
        dtd.explain(network, x, 0, dtd.Plan([(dtd.where.every, dtd.Explicit(dtd.Ray(dtd.Weights()), memory=100))]))


def test_a_mix_may_hold_strategies_without_a_fused_reading():
    model, x = nn.Linear(3, 1, bias=False).double(), torch.ones(1, 3, dtype=torch.double)
    network = dtd.trace(model, x)
    mix = dtd.Mix(((0.5, Halfway()), (0.5, dtd.Ray(dtd.Activations()))))
    assert mix.searches() is None
    out = dtd.explain(network, x, 0, dtd.Plan([(dtd.where.every, mix)]))
    torch.testing.assert_close(out.conservation(), torch.full((1,), 0.75, dtype=torch.double))
