"""A rule that a layer's domain excludes is replaced, and the row says so."""

import pytest
import torch
from torch import nn

from dtd.domain import Box
from dtd.explain import explain
from dtd.network import Network, trace
from experiments.plans import Measured, Request, measure
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
