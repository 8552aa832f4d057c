"""An audit of layers whose units read other inputs in every sample: it says of a batch what it says of each sample alone."""

import pytest
import torch
from torch import nn

import dtd
from dtd.root.units import FieldUnits
from tests.dtd.test_traces import rand

LINKS = torch.tensor(
    [[[0, 1, 2, 2, 3], [1, 1, 1, 0, 0]], [[3, 2, 1, 0, 0], [2, 2, 2, 2, 2]], [[0, 1, 2, 3, 1], [0, 1, 2, 3, 3]]]
)


class Passed(nn.Module):
    """Messages along the links of each sample's own graph, added up where they arrive."""

    def forward(self, x, links):
        start, end = links[:, 0, :, None].expand(-1, -1, 2), links[:, 1, :, None].expand(-1, -1, 2)
        return x.new_zeros(x.shape).scatter_add(1, end, x.gather(1, start))


def traced():
    x = rand(3, 4, 2, seed=1) - 0.3
    return dtd.trace(Passed(), (x, LINKS)), x


@pytest.mark.parametrize("root", [dtd.Ray(dtd.Activations()), dtd.Ray(dtd.Weights()), dtd.Nearest()], ids=repr)
def test_the_rows_of_a_batch_are_those_of_its_samples(root):
    network, x = traced()
    plan = dtd.Plan([(dtd.where.kind("scatter_sum"), root)])
    weights = rand(3, 4, 2, seed=2)
    whole = dtd.audit(network, (x, LINKS), lambda y: y * weights, plan)
    alone = [
        dtd.audit(network, (x[i : i + 1], LINKS[i : i + 1]), lambda y, i=i: y * weights[i : i + 1], plan) for i in range(3)
    ]
    at = whole.index[whole.kind == "scatter_sum"].item()
    assert whole.units[at] == sum(each.units[at] for each in alone) == 2 * (2 + 1 + 4)
    for column in ("relevance", "first", "bias", "zeroth", "remainder"):
        assert whole[column][at] == pytest.approx(sum(each[column][at] for each in alone), abs=1e-12)
    valid = sum(each.valid[at] * each.units[at] for each in alone) / whole.units[at]
    assert whole.valid[at] == pytest.approx(valid)
    assert whole.gap[at] < 1e-12


def test_units_read_what_is_sent_to_them():
    """By hand: unit (k, c) of a sample reads the messages j with end(j) = k, and adds them up."""
    network, x = traced()
    graph, values = network.read((x, LINKS))
    op = graph.layers[1].op
    messages = graph.layers[0](values[-1])
    units = FieldUnits(op, messages, torch.arange(8))
    torch.testing.assert_close(units.z, Passed()(x, LINKS).flatten(1))
    for sample, links in enumerate(LINKS):
        for unit in range(8):
            read = [int(j) * 2 + unit % 2 for j in (links[1] == unit // 2).nonzero()]
            assert sorted(j for j in units.field[sample, unit].tolist() if j >= 0) == read
    back = units.scatter(units.activations * units.weights)  # every message is read once
    torch.testing.assert_close(back, messages)
    assert op.fan_in == 5


@pytest.mark.parametrize("rule", ["lrp0", "wsquare", "flat"])
@pytest.mark.parametrize("fast", [True, False])
def test_sums_over_each_samples_own_links_are_explained(rule, fast):
    """By hand: all messages to a unit have weight 1, so that w² and flat share its relevance equally among them."""
    network, x = traced()
    arrives = rand(3, 4, 2, seed=2)
    rules = {"scatter_sum": rule, "shift": "lrp0"}
    plan = dtd.Plan([(dtd.where.kind(kind), dtd.rules.choose(name)) for kind, name in rules.items()])
    out = dtd.explain(network, (x, LINKS), lambda y: y * arrives, plan, fast=fast)
    expected = torch.zeros_like(x)
    for i, (start, end) in enumerate(LINKS):
        for j in range(5):
            messages = x[i, start[end == end[j]]]
            share = x[i, start[j]] / messages.sum(0) if rule == "lrp0" else 1 / len(messages)
            expected[i, start[j]] += share * messages.sum(0) * arrives[i, end[j]]
    torch.testing.assert_close(out.relevance["x"], expected)
