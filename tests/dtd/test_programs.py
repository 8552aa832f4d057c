"""Prepared passes: the relevance of the pass that adds everything up, for every rule on every kind of network."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd import presets
from dtd.plans.rules import choose
from tests.models import MODELS, model_and_input, randomised

BIASES = ("fixed", "neuron", "distribute")
RULES = {
    "lrp0": {},
    "epsilon": {"epsilon": 0.05},
    "gamma": {},
    "gamma_signed": {"gamma": 0.5},
    "zplus_signed": {},
    "alphabeta": {},
    "wsquare": {},
    "flat": {},
}


class Unmerged(nn.Module):
    """ReLUs after pooling, sums of differences, values that are read twice, bounded functions: where coefficients and
    relevance meet."""

    def __init__(self):
        super().__init__()
        self.low, self.high = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.line, self.head = nn.Conv1d(4, 4, 2), nn.Linear(8, 3)

    def forward(self, x):
        z = self.low(x)
        y = torch.relu(F.max_pool2d(z, 2)) + torch.tanh(F.avg_pool2d(z, 2))
        y = torch.relu(self.high(y) - 2 * y) + torch.sigmoid(y)
        y = F.relu6(self.line(F.max_pool1d(y.flatten(2), 2, 1))) * 1.5
        return self.head(torch.cat([torch.relu(y.flatten(1)), y.flatten(1)], 1)[:, 2:10])


@pytest.fixture(params=[*sorted(MODELS), "unmerged"])
def traced(request):
    if request.param == "unmerged":
        model, x = (
            randomised(Unmerged()),
            torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double),
        )
    else:
        model, x = model_and_input(request.param)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


def compare(network, x, plan, target=1):
    """The fast relevance against that of the pass with balances."""
    out = dtd.explain(network, x, target, plan)
    relevance = dtd.explain(network, x, target, plan, fast=False).relevance
    scale = relevance.abs().max().item()
    assert (out.relevance - relevance).abs().max().item() <= 1e-9 * scale, str(plan)
    return out


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule(traced, rule, bias):
    network, x = traced
    compare(network, x, dtd.Plan.uniform(rule, bias=bias, **RULES[rule]))
    compare(network, x, dtd.Plan.uniform(rule, bias=bias, **RULES[rule]).explicit())


@pytest.mark.parametrize("target", [torch.tensor([0, 1, 1]), lambda y: y.square() - 0.3])
def test_every_target(traced, target):
    network, x = traced
    for rule in RULES:
        compare(network, x, dtd.Plan.uniform(rule, **RULES[rule]), target)


@pytest.mark.parametrize("preset", ["deep_taylor_2017", "lrp_overview_2019", "epsilon_plus_flat", "epsilon_gamma_box"])
def test_presets(traced, preset):
    network, x = traced
    for bias in BIASES:
        compare(network, x, getattr(presets, preset)(bias=bias))


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("rule", ["lrp0", "epsilon", "flat"])
def test_max_pooling_as_average_pooling(traced, rule, fitted):
    network, x = traced
    pooling = dtd.Plan.uniform("gamma_signed").average_pooling().entries[-2]
    average = dtd.MaxAsAverage(choose(rule, **RULES[rule]), fitted)
    for below in ("gamma_signed", "lrp0", "wsquare"):  # coefficients arrive, or relevance
        plan = dtd.Plan([type(pooling)(pooling.where, average, optional=True), ("*", choose(below))])
        compare(network, x, plan)
        compare(network, x, plan.explicit())


def test_bounds_of_each_sample():
    model, x = randomised(Unmerged()), torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    low = -0.1 * torch.rand(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    plan = dtd.Plan([(dtd.where.first, choose("zbox", low=low, high=low + 2)), ("*", choose("lrp0"))])
    compare(dtd.trace(model, x), x, plan)


def test_strategies_without_a_rule(traced):
    network, x = traced
    damped = dtd.Ray(dtd.Gamma(0.3), "neuron", presets.RelativeEpsilon())
    halves = dtd.Mix(tuple((0.5, dtd.Ray(dtd.Activations(), "neuron", epsilon)) for epsilon in (0.1, 0.3)))
    mix = dtd.Mix(((0.4, dtd.Ray(dtd.Activations(), "neuron")), (0.6, dtd.Ray(dtd.ToBox(-9.0, 9.0)))))
    for root in (
        damped,
        halves,
        dtd.Reference(0.1),
        dtd.Ray(dtd.Toward(0.2)),
        dtd.Mix(((1.5, damped), (-0.5, dtd.Ray(dtd.Flat())))),
    ):
        compare(network, x, dtd.Plan([("*", root)]))
    compare(network, x, dtd.Plan([(dtd.where.first, mix), ("*", dtd.Ray(dtd.SignedGamma(0.3), "neuron"))]))


class Half(dtd.Ray):
    """A root strategy of somebody's own, with another denominator."""

    def denominator(self, n, z, context):
        return 2 * n


@pytest.mark.parametrize("direction", [dtd.Activations(), dtd.Gamma(0.25), dtd.Contributions(1)], ids=str)
def test_a_denominator_of_ones_own(traced, direction):
    network, x = traced
    for bias in ("fixed", "neuron"):
        compare(network, x, dtd.Plan([("*", Half(direction, bias))]))


def test_a_negative_bias_that_cancels_non_negative_contributions():
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1)).double()
    for layer, bias in zip(model, (-3.0, 2.0), strict=True):
        nn.init.ones_(layer.weight)
        nn.init.constant_(layer.bias, bias)
    x = torch.tensor([[1.0, 2.0], [1.0, 3.0]], dtype=torch.double)
    out = compare(dtd.trace(model, x, domain=dtd.NonNegative()), x, dtd.Plan.uniform("lrp0", bias="neuron"), 0)
    assert out.relevance.tolist() == [[0.0, 0.0], [1.0, 3.0]]


def test_a_negative_zero_is_damped_as_zero():
    """``(1 − 1)/(−4) = −0``: the damping keeps its sign, and relevance its."""
    model, x = nn.AvgPool2d(2, divisor_override=-4), torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]]], dtype=torch.double)
    plan = dtd.Plan([(dtd.where.kind("average_pool"), choose("epsilon", bias="neuron", epsilon=0.1))])
    out = compare(dtd.trace(model, x), x, plan, torch.ones_like)
    assert out.relevance.flatten().tolist() == [-2.5, 2.5, -5.0, 5.0]


def test_a_damping_too_small_for_the_networks_numbers():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = torch.rand(2, 2)
    network = dtd.trace(model, x, domain=dtd.NonNegative())
    relevance = [
        dtd.explain(network, x, 0, dtd.Plan.uniform("epsilon", bias="neuron", epsilon=e)).relevance for e in (0.0, 1e-50)
    ]
    assert torch.equal(*relevance)


def test_each_target_shares_the_sweep_and_gets_what_it_gets_alone(traced):
    network, x = traced
    plan = dtd.Plan.uniform("gamma_signed")
    targets = [0, torch.tensor([1, 0, 1]), lambda y: y.square(), 0]
    for found, target in zip(dtd.explain_each(network, x, targets, plan), targets, strict=True):
        alone = dtd.explain(network, x, target, plan)
        assert torch.equal(found.relevance, alone.relevance) and torch.equal(found.initial, alone.initial)
        for name, record in found.layers.items():
            assert torch.equal(record.balance.first, alone.layers[name].balance.first)


def test_one_target_in_place_of_several_is_refused(traced):
    network, x = traced
    with pytest.raises(dtd.InputError, match="must be several targets.*found 1"):
        next(dtd.explain_each(network, x, 1, dtd.Plan.uniform("lrp0")))


def test_balances_are_found_later_unless_something_changed():
    model, x = model_and_input("residual")
    network, plan = dtd.trace(model, x), dtd.Plan.uniform("gamma_signed")
    before, kept, moved = (dtd.explain(network, x, 0, plan) for _ in range(3))
    balance = kept.layers["fc"].balance
    assert kept.layers["fc"].balance is balance and balance.gap.abs().max() < 1e-9
    x.add_(0.1)
    with pytest.raises(dtd.StaleError, match="since this explanation was made its input or the model's parameters"):
        _ = before.layers
    now = dtd.explain(network, x, 0, plan)
    with torch.no_grad():
        model.fc.weight.mul_(2)
    for stale in (now, moved):
        with pytest.raises(dtd.StaleError, match="Explain again"):
            _ = stale.layers
