"""Directions: what they declare for the prepared passes, and values by hand where a sign or a side is easily lost."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

import dtd
from dtd.algebra import identity, nonzero, one
from dtd.direction.functions import Boost, Given, Only, WeightFunction
from dtd.root import Search
from dtd.root.units import FieldUnits


def unit(weights, bias=None, x=(1.0, 1.0), domain=dtd.Real()):
    """A network of one dense layer with one unit, and its input."""
    model = nn.Linear(len(weights), 1, bias=bias is not None).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([weights]))
        if bias is not None:
            model.bias.fill_(bias)
    x = torch.tensor([x], dtype=torch.double)
    return dtd.trace(model, x, domain=domain), x


def relevance(network, x, model):
    return dtd.explain(network, x, 0, dtd.Plan([("*", model)])).relevance[0].tolist()


@pytest.mark.parametrize("function", [Boost(0.25), Boost(0.25, -1), Only(1), Only(-1)])
def test_declared_slopes_are_those_of_the_modified_weight(function):
    w = torch.tensor([-2.0, -0.5, 0.0, 0.5, 3.0], dtype=torch.double)
    p, q = dtd.Factor(identity, function).slopes
    torch.testing.assert_close(w * function(w), p * w.clamp(min=0) + q * w.clamp(max=0))


def test_slopes_that_are_not_declared_are_none():
    assert [dtd.Factor(identity, keeps).slopes for keeps in (one, nonzero)] == [(1.0, 1.0)] * 2
    assert dtd.Factor(identity, Given(2)).slopes is None

    class Doubled(Boost):
        def __call__(self, w):
            return 2 * super().__call__(w)

    assert issubclass(Doubled, WeightFunction) and Doubled(0.25).slopes is None


@dataclass(frozen=True)
class OneSided(dtd.SignedGamma):
    """Factors that do not mirror each other: units with ``z ≤ 0`` have LRP-0's."""

    def factors(self, domain):
        return (*[f for f in super().factors(domain) if f.side > 0], dtd.Factor(identity, one, -1))

    def bias_on(self, b, z):
        return 0 * b


@pytest.mark.parametrize("bias", ["fixed", "neuron"])
def test_a_declaration_is_not_inherited_by_other_factors(bias):
    assert dtd.SignedGamma(0.5).mirrored == 2.5 and OneSided(0.5).mirrored is None
    torch.manual_seed(0)
    network = dtd.trace(nn.Linear(4, 3).double(), torch.rand(2, 4, dtype=torch.double))
    x = torch.randn(5, 4, dtype=torch.double)
    for direction in (dtd.SignedGamma(0.5), OneSided(0.5)):
        ray = dtd.Ray(direction, bias)
        prepared, built = (
            dtd.explain(network, x, lambda y: y, dtd.Plan([("*", root)])).relevance for root in (ray, dtd.Explicit(ray))
        )
        torch.testing.assert_close(prepared, built, rtol=1e-10, atol=1e-12)


def test_a_damping_number_is_that_of_the_class_that_divides_by_it():
    class Doubled(dtd.Ray):
        def denominator(self, n, z, context):
            return 2 * n

    assert dtd.Ray(dtd.ZPlus(), damping=0.5).damping_number == 0.5
    assert dtd.Ray(dtd.ZPlus(), damping=lambda z: z.abs()).damping_number is None
    assert dtd.Reference().damping_number is None and Search.damping_number is None
    assert Doubled(dtd.ZPlus()).damping_number is None
    network, x = unit([1.0, 1.0])
    assert relevance(network, x, Doubled(dtd.Activations())) == [0.5, 0.5]


def test_a_bias_neuron_stays_where_a_reference_point_is():
    """w = (1, 1), b = 1, x = (1, 1), z = 3: the bias neuron's own reference is its value, so inputs share all of R."""
    network, x = unit([1.0, 1.0], 1.0)
    for root in (dtd.Ray(dtd.Toward(0.0), "neuron"), dtd.Explicit(dtd.Ray(dtd.Toward(0.0), "neuron"))):
        assert relevance(network, x, root) == [1.5, 1.5]
        assert dtd.explain(network, x, 0, dtd.Plan([("*", root)])).layers["dense"].balance.bias.item() == 0


@pytest.mark.parametrize("reading", [lambda plan: plan, lambda plan: plan.explicit()])
def test_contributions_on_inputs_that_are_never_positive(reading):
    """W = (1, −2), x = (−1, −1), z = 1: only the second contribution is positive."""
    network, x = unit([1.0, -2.0], None, (-1.0, -1.0), dtd.Box(-1.0, 0.0))
    found = dtd.explain(network, x, 0, reading(dtd.Plan.uniform("zplus_signed"))).relevance
    assert found[0].tolist() == [0.0, 1.0]
    assert [factor.activation for factor in dtd.Contributions(1).factors(dtd.Box(-1.0, 0.0))] == [identity]


def test_a_root_at_the_data_point_exists():
    """At z = 0 the data point is the root itself, ahead of it and behind it; without ``n`` there is none."""
    network, x = unit([1.0, -1.0], None, (2.0, 2.0))
    units = FieldUnits(network.layers[0].op, x, torch.arange(1))
    for direction, exists in ((dtd.Contributions(1), True), (dtd.Contributions(-1), True), (dtd.Activations(), False)):
        root = dtd.Ray(direction).root(units, dtd.Real())
        assert units.z.item() == 0 and root.exists.tolist() == [[exists]]
