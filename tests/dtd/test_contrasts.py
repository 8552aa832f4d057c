"""Contrasts as targets: the rewritten network by hand, and what it is where the top cannot be rewritten."""

import pytest
import torch
from torch import nn

import dtd
from tests.models import randomised

close = torch.testing.assert_close
DOUBLE = torch.double
PLANS = {
    name: dtd.Plan.uniform(name, bias="neuron") for name in ("lrp0", "gamma_signed", "zplus_signed", "alphabeta", "flat")
}


def network(*more, outputs=4):
    model = randomised(nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, outputs), *more), seed=2)
    x = torch.rand(5, 3, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


def by_hand(net, rows, shift=0.0):
    """The model with ``D (W a + b) − shift`` as its last layer."""
    first, relu, last, *_ = net.model
    top = nn.Linear(6, len(rows)).double()
    top.weight.data, top.bias.data = rows @ last.weight.data, rows @ last.bias.data - shift
    return dtd.trace(nn.Sequential(first, relu, top), torch.rand(5, 3, dtype=DOUBLE), domain=dtd.Box(0.0, 1.0))


ROWS = {
    dtd.Difference(1, 2): [[0.0, 1.0, -1.0, 0.0]],
    dtd.Difference(3, (0, 1)): [[-0.5, -0.5, 0.0, 1.0]],
    dtd.Difference(0): [[1.0, -1 / 3, -1 / 3, -1 / 3]],
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("target", ROWS, ids=repr)
def test_a_difference_is_the_output_of_a_rewritten_last_layer(target, plan, fast):
    net, x = network()
    expected = by_hand(net, torch.tensor(ROWS[target], dtype=DOUBLE))
    found, other = dtd.explain(net, x, target, PLANS[plan], fast=fast), dtd.explain(expected, x, 0, PLANS[plan])
    close(found.relevance, other.relevance), close(found.output, other.output), close(found.initial, other.initial)
    assert list(found.layers) == ["0", "1", "2"]
    close(found.layers["2"].balance.bias, other.layers["2"].balance.bias)
    separate = dtd.explain(net, x, lambda y: y * torch.tensor(ROWS[target][0]), PLANS[plan]).relevance
    assert torch.allclose(found.relevance, separate) == (plan in ("lrp0", "flat"))  # no difference of two explanations


@pytest.mark.parametrize("plan", PLANS)
def test_log_odds_are_a_soft_minimum_over_differences(plan):
    net, x = network()
    rows = torch.tensor([[-1.0, 0.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 0.0, 1.0, -1.0]], dtype=DOUBLE)
    expected = by_hand(net, rows)
    found = dtd.explain(net, x, dtd.LogOdds(2), PLANS[plan])
    z = net.model(x) @ rows.T
    shares = torch.exp(-z) / torch.exp(-z).sum(1, keepdim=True)
    other = dtd.explain(expected, x, (z * shares).detach(), PLANS[plan])
    close(found.relevance, other.relevance), close(found.initial, (z * shares).detach())
    p = net.model(x).softmax(1)[:, 2]
    entropy = -(shares * shares.log()).sum(1)
    close(found.initial.sum(1), ((p / (1 - p)).log() + entropy).detach())


@pytest.mark.parametrize("plan", PLANS)
def test_a_regression_is_explained_from_its_reference(plan):
    net, x = network(outputs=1)
    y = net.model(x).detach()
    found = dtd.explain(net, x, dtd.FromReference(1.75), PLANS[plan])
    expected = dtd.explain(by_hand(net, torch.ones(1, 1, dtype=DOUBLE), 1.75), x, 0, PLANS[plan])
    close(found.relevance, expected.relevance), close(found.output, y - 1.75), close(found.initial, y - 1.75)
    at = float(y[2])
    reference = dtd.explain(net, x, dtd.FromReference(at), PLANS[plan])
    assert abs(float(reference.output[2])) < 1e-14 and float(reference.relevance[2].abs().max()) < 1e-12
    flat, _ = network(nn.Flatten(0), outputs=1)
    close(dtd.explain(flat, x, dtd.FromReference(1.75), PLANS[plan]).relevance, found.relevance)
    several, _ = network()
    chosen = dtd.explain(several, x, dtd.FromReference(0.5, output=3), PLANS[plan])
    shifted = by_hand(several, torch.eye(4, dtype=DOUBLE), torch.tensor([0.0, 0.0, 0.0, 0.5], dtype=DOUBLE))
    close(chosen.relevance, dtd.explain(shifted, x, 3, PLANS[plan]).relevance)


def test_where_the_top_is_no_dense_layer_the_difference_is_a_sum_of_outputs():
    net, x = network(nn.Tanh())
    y = net.model(x).detach()
    found = dtd.explain(net, x, dtd.Difference(1, (0, 3)), PLANS["lrp0"])
    close(found.initial, y * torch.tensor([-0.5, 1.0, 0.0, -0.5])), close(found.output, y)
    odds = dtd.explain(net, x, dtd.LogOdds(1), PLANS["lrp0"])
    z = y[:, [1]] - y[:, [0, 2, 3]]
    close(odds.initial.sum(1), (z * (-z).softmax(1)).sum(1))


def test_equal_contrasts_share_a_program_and_work_with_the_rest():
    net, x = network()
    plan = PLANS["gamma_signed"]
    first = dtd.explain(net, x, dtd.Difference(1, 2), plan, at=["1"], through={"1": [0, 1, 2]})
    graph = dtd.Difference(1, 2).restructured(net.graph).graph
    assert graph is dtd.Difference(1, 2).restructured(net.graph).graph and len(graph.programs) == 1
    assert graph is not dtd.Difference(1, 3).restructured(net.graph).graph
    close(
        dtd.explain(net, x, dtd.Difference(1, 2), plan, memory=700).relevance,
        dtd.explain(net, x, dtd.Difference(1, 2), plan).relevance,
    )
    close(
        next(iter(dtd.explain_each(net, x, [dtd.Difference(1, 2)], plan))).relevance,
        dtd.explain(net, x, dtd.Difference(1, 2), plan).relevance,
    )
    assert bool((first.at["1"].passed[:, 3:] == 0).all())
    with torch.no_grad():
        net.model[2].weight.mul_(2)
    close(dtd.explain(net, x, dtd.Difference(1, 2), plan).output, (net.model(x)[:, [1]] - net.model(x)[:, [2]]).detach())
    with pytest.raises(dtd.StaleError):
        first.layers  # noqa: B018


def test_what_does_not_fit_is_refused():
    net, x = network()
    for target, message in (
        (dtd.Difference(4), r"Difference\(4\) needs classes from 0 to 3"),
        (dtd.Difference(1, (2, 4)), "needs classes from 0 to 3"),
        (dtd.Difference(1, ()), "needs classes from 0 to 3"),
        (dtd.Difference(1, 1), "a class against itself"),
        (dtd.LogOdds(-5), "needs classes from 0 to 3"),
        (dtd.FromReference(0.5), "needs an 'output' from 0 to 3: the network has 4"),
        (dtd.FromReference(float("nan"), output=0), "must be a finite number"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.explain(net, x, target, PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="ends with a softmax"):
        dtd.explain(network(nn.Softmax(1))[0], x, dtd.LogOdds(0), PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="needs an affine layer at the output"):
        dtd.explain(network(nn.Tanh())[0], x, dtd.FromReference(1.0), PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="one contrast; found several"):
        list(dtd.explain_each(net, x, [dtd.Difference(0), dtd.Difference(1)], PLANS["lrp0"]))


@pytest.mark.parametrize("against", [[1, 1], [1, 2, 1]])
def test_a_class_is_named_once(against):
    net = dtd.trace(torch.nn.Linear(2, 3), torch.ones(1, 2))
    with pytest.raises(dtd.InputError, match="names a class twice"):
        dtd.explain(net, torch.ones(1, 2), dtd.Difference(0, against))


def test_probabilities_of_a_sigmoid_are_no_logits():
    net = dtd.trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sigmoid()), torch.ones(1, 2))
    with pytest.raises(dtd.InputError, match="ends with a sigmoid"):
        dtd.explain(net, torch.ones(1, 2), dtd.LogOdds(0))


def test_edges_of_no_sample():
    net = dtd.trace(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)), torch.ones(1, 2))
    edges = dtd.explain(net, torch.ones(0, 2), 0, dtd.Plan.uniform("lrp0")).edges("1", "2")
    assert edges.of_lower.shape == (0, 3) and edges.of_upper.shape == (0, 1)
