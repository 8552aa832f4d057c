"""Relevance of edges between two layers: what goes through each node alone, and sums that are the nodes' relevance."""

import copy

import pytest
import torch
from torch import nn

import dtd
from dtd.plans.rules import catalogue
from tests.dtd.test_through import plan_of, small
from tests.dtd.test_units import Classed
from tests.models import randomised

close = torch.testing.assert_close
DOUBLE = torch.double


def test_edges_of_a_dense_layer_are_its_shares():
    """``R_{j←k} = a_j w_kj / Σ_j a_j w_kj · R_k``, typed from LRP-0's formula."""
    model = randomised(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)))
    x = torch.rand(6, 3, dtype=DOUBLE)
    net = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    out = dtd.explain(net, x, 1, dtd.Plan.uniform("lrp0"), at=["2", "1", "0"])
    a, w = model[:2](x).detach(), model[2].weight.detach()
    terms = a[:, None] * w
    total = terms.sum(2, keepdim=True)
    shares = torch.where(total != 0, terms / torch.where(total != 0, total, 1), 0)
    for by in ("unit", "channel"):
        found = out.edges("1", "2", by=by)
        close(found.dense(), shares * out.at["2"].output[:, :, None])
        close(found.of_upper, found.dense().sum(2)), close(found.of_lower, out.at["1"].output)
    two = out.edges("input", "2").dense()
    below = x[:, None] * model[0].weight.detach()
    first = below / below.sum(2, keepdim=True)
    close(two, out.edges("0", "2").dense() @ first)
    close(two.sum(1), out.relevance)


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("bias", ["fixed", "neuron"])
@pytest.mark.parametrize("rule", sorted(catalogue))
def test_edges_are_what_goes_through_each_node_and_add_up(rule, bias):
    net, x = small()
    plan = plan_of(net, rule, bias)
    out = dtd.explain(net, x, 2, plan, at=["relu", "sum", "dense"])
    for lower, upper in (("relu", "sum"), ("sum", "dense"), ("relu", "dense"), ("input", "relu")):
        found = out.edges(lower, upper)
        dense, largest = found.dense(), found.values.abs().max()
        names = [each.name for each in net.layers]
        for k in range(dense.shape[1]):
            past = dtd.explain(net, x, 2, plan, through={upper: k}, at=[lower] if lower in names else [])
            below = past.at[lower].output if lower in names else past.relevance
            assert (dense[:, k] - below.flatten(2).sum(2)).abs().max() <= 1e-9 * largest
        arrived = out.at[lower].output if lower in names else out.relevance
        assert (found.of_lower - arrived.flatten(2).sum(2)).abs().max() <= 1e-9 * largest
        assert (dense.sum(1) - found.of_lower).abs().max() <= 1e-9 * largest
        assert (dense.sum(2) - found.of_upper).abs().max() <= 1e-9 * largest
        if (
            upper != "dense" and bias == "fixed" and rule not in ("epsilon",)
        ):  # what the layers between keep is not handed on
            whole = out.at[upper].output.flatten(2).sum(2)
            kept = sum(out.layers[name].balance.zeroth.abs() for name in names[: names.index(upper) + 1])
            assert bool(((found.of_upper.sum(1) - whole.sum(1)).abs() <= kept + 1e-9 * largest).all())


def test_what_goes_past_the_upper_layer_is_no_edge_of_it():
    net, x = small()
    plan = plan_of(net, "gamma_signed", "fixed")
    out = dtd.explain(net, x, 0, plan, at=["relu"])
    past = dtd.explain(net, x, 0, plan, at=["relu"], through={"second": torch.tensor(False)}).at["relu"].output
    close(out.edges("relu", "second").of_lower, (out.at["relu"].output - past).flatten(2).sum(2))


def test_the_threshold_leaves_small_edges_out_and_says_what_they_were():
    net, x = small()
    out = dtd.explain(net, x, 0, plan_of(net, "gamma_signed", "fixed"))
    every, some = out.edges("relu", "sum"), out.edges("relu", "sum", threshold=0.3)
    assert 0 < len(some.values) < len(every.values)
    largest = every.dense().abs().amax((1, 2))
    assert bool((some.values.abs() >= 0.3 * largest[some.index[:, 0]]).all())
    close(some.of_lower, every.of_lower), close(some.dropped, every.dense().sum((1, 2)) - some.dense().sum((1, 2)))
    close(every.dropped, torch.zeros(3, dtype=DOUBLE), atol=1e-12, rtol=0.0)


def test_gates_parts_units_and_side_values():
    net, x = small()
    plan = plan_of(net, "gamma_signed", "fixed")
    gated = dtd.explain(net, x, 0, plan, through={"second": [0, 1], "dense": 3}, at=["relu"]).edges("relu", "dense")
    outs = dtd.explain(net, x, 0, plan, through={"second": [0, 1], "dense": 3}, at=["relu"])
    close(gated.of_lower, outs.at["relu"].output.flatten(2).sum(2))
    assert set(gated.index[:, 1].tolist()) == {3}
    within = dtd.explain(net, x, 0, plan, memory=30_000)
    close(within.edges("relu", "sum").dense(), dtd.explain(net, x, 0, plan).edges("relu", "sum").dense())
    unit = dtd.explain(net, x, dtd.Unit("second", channel=1), plan, at=["first"])
    close(unit.edges("first", "second").of_lower, unit.at["first"].output.flatten(2).sum(2))
    sides = dtd.trace(Classed(), torch.rand(2, 3, 4, dtype=DOUBLE))
    y = torch.rand(2, 3, 4, dtype=DOUBLE)
    names = [layer.name for layer in sides.layers]
    out = dtd.explain(sides, y, lambda z: z, at=names)
    close(out.edges("mix", "head").of_lower, out.at["mix"].output.sum(1))
    close(out.edges(names[0], "mix", by="unit").of_lower, out.at[names[0]].output.flatten(1))


def test_what_has_no_edges_is_refused():
    net, x = small()
    out = dtd.explain(net, x, 0)
    for arguments, message in (
        (("sum", "relu"), "'relu' does not depend on 'sum'"),
        (("relu", "tenth"), "no layer 'tenth'. The layers are"),
        (("eleventh", "relu"), "no layer 'eleventh'. The layers are"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            out.edges(*arguments)
    with pytest.raises(dtd.InputError, match="'threshold' must be from 0 to 1"):
        out.edges("relu", "sum", threshold=2.0)
    with pytest.raises(dtd.InputError, match="'by' must be one of channel, unit"):
        out.edges("relu", "sum", by="pixel")
    with pytest.raises(dtd.StaleError, match="which a copy of an explanation does not hold"):
        copy.deepcopy(out).edges("relu", "sum")
    model = randomised(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))
    y = torch.rand(2, 3, dtype=DOUBLE)
    exact = dtd.Plan([("0", dtd.Exact(dtd.Activations())), ("2", dtd.Ray(dtd.Activations()))])
    with pytest.raises(dtd.InputError, match="that of '0' looks at the layers above"):
        dtd.explain(dtd.trace(model, y), y, 0, exact).edges("input", "1")
    with torch.no_grad():
        x.mul_(2)
    with pytest.raises(dtd.StaleError, match="Explain again"):
        out.edges("relu", "sum")
