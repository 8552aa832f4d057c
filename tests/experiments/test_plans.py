"""A rule that a layer's domain excludes is replaced, and the row says so."""

import pytest
import torch
from torch import nn

from dtd.domain import Box
from dtd.explain import explain
from dtd.network import Network, trace
from dtd.rules import catalogue
from experiments.configs import ConfigError, typed
from experiments.plans import Measured, Request, check, measure, plans
from experiments.plans.preset import PRESETS
from tests.models import randomised


def signed_network() -> tuple[Network, torch.Tensor, Measured]:
    """Layers that receive a box, values of both signs, and non-negative values."""
    layers = [nn.Linear(6, 8), nn.LeakyReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)]
    x = torch.rand(20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    network = trace(randomised(nn.Sequential(*layers)), x, Box(0.0, 1.0))
    return network, x, measure(network, x[:10], x)


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
def test_zplus_gives_way_where_inputs_have_both_signs(bias):
    network, x, measured = signed_network()
    assigned = Request("zplus", bias).assign(network, measured)
    assert assigned.used == {"0": "zplus", "2": "zplus_signed (receives Real)", "4": "zplus"}
    both = [explain(network, x, 0, plan).relevance for plan in (assigned.plan, assigned.plan.explicit())]
    torch.testing.assert_close(*both, rtol=1e-10, atol=1e-12)


def test_zbox_takes_the_inferred_box_and_elsewhere_the_range_of_the_data():
    network, x, measured = signed_network()
    assigned = Request("zbox", "fixed").assign(network, measured)
    assert assigned.used["0"] == "zbox"
    assert assigned.used["2"].endswith("(range of the data)") and assigned.used["4"].startswith("zbox [0, ")
    for name, (low, high) in measured.ranges.items():
        assert low < high and (low >= 0) == network[name].domain.nonnegative
    both = [explain(network, x, 0, plan).relevance for plan in (assigned.plan, assigned.plan.explicit())]
    torch.testing.assert_close(*both, rtol=1e-10, atol=1e-12)


def test_ranges_hold_all_the_data_with_a_margin():
    network, x, measured = signed_network()
    inputs = network["0"].primitive.apply(x).detach()
    leaky = torch.where(inputs < 0, 0.01 * inputs, inputs)
    low, high = measured.ranges["2"]
    assert low < leaky.min() < leaky.max() < high
    span = leaky.max() - leaky.min()
    assert leaky.min() - low == pytest.approx(0.01 * span) and high - leaky.max() == pytest.approx(0.01 * span)


def test_patterns_are_those_of_the_data_in_the_asked_precision():
    network, _, measured = signed_network()
    assert all(p.shape == network[name].primitive.weight.shape for name, p in measured.patterns.items())
    assert {p.dtype for p in measured.to(torch.float32).patterns.values()} == {torch.float32}


@pytest.mark.parametrize("name", [*catalogue, *PRESETS])
def test_every_rule_and_every_preset_is_an_option_that_explains(composed, name):
    network, x, _ = signed_network()
    config = typed(composed(f"plan={name}", "bias=neuron"))
    check(config)
    made = plans(config, network, (x[:10], x))
    assert list(made) == [name] and explain(network, x, 0, made[name]).relevance.isfinite().all()
    entries = made[name].entries
    assert {entry.model.bias for entry in entries} == {"neuron"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["plan.rule=gama"], r"'plan.rule' must be a rule of the catalogue \(lrp0, .*\); found gama"),
        (["+plan.parameters.gama=1"], r"'plan.parameters' must be parameters of 'gamma' \(gamma\); found gama"),
        (["plan.parameters.gamma=-1"], "'plan.parameters' do not fit 'gamma': 'gamma' must be >= 0; found -1"),
        (["plan=epsilon_plus", "plan.preset=plus"], "'plan.preset' must be one of deep_taylor_2017, "),
        (["plan=epsilon_plus", "+plan.parameters.eps=1"], r"must be parameters of 'epsilon_plus' \(epsilon\); found eps"),
    ],
)
def test_a_plan_that_there_is_not_is_refused(composed, overrides, message):
    with pytest.raises(ConfigError, match=message):
        check(typed(composed(*overrides)))
