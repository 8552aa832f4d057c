"""Contrasts as targets: the rewritten network by hand, and what it is where the top cannot be rewritten."""

import pytest
import torch
from torch import nn

import dtd
from dtd.explaining.hidden import start_of
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
    graph = start_of([dtd.Difference(1, 2)]).restructured(net.graph).graph
    assert graph is start_of([dtd.Difference(1, 2)]).restructured(net.graph).graph and len(graph.programs) == 1
    assert graph is not start_of([dtd.Difference(1, 3)]).restructured(net.graph).graph
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
    for targets in ([dtd.Difference(0), 1], [dtd.Difference(0), dtd.Unit("1", channel=0)]):
        with pytest.raises(dtd.InputError, match="or all contrasts; found several"):
            list(dtd.explain_each(net, x, targets, PLANS["lrp0"]))


OF, AGAINST = torch.tensor([0, 2, 2, 3, 0]), torch.tensor([1, 0, 0, 2, 3])
FOR_EACH = {
    "difference": (dtd.Difference(OF, AGAINST), lambda i: dtd.Difference(int(OF[i]), int(AGAINST[i]))),
    "against all": (dtd.Difference(OF), lambda i: dtd.Difference(int(OF[i]))),
    "against one": (dtd.Difference(1, AGAINST.clamp(2)), lambda i: dtd.Difference(1, max(2, int(AGAINST[i])))),
    "log-odds": (dtd.LogOdds(OF), lambda i: dtd.LogOdds(int(OF[i]))),
}


@pytest.mark.parametrize("top", [(), (nn.Tanh(),)], ids=["dense", "tanh"])
@pytest.mark.parametrize("plan", ["lrp0", "gamma_signed", "alphabeta"])
@pytest.mark.parametrize("name", FOR_EACH)
def test_classes_of_each_sample_are_as_each_sample_alone(name, plan, top):
    net, x = network(*top)
    together, alone = FOR_EACH[name]
    wanted = [dtd.explain(net, x[i : i + 1], alone(i), PLANS[plan], at=["0"]) for i in range(5)]
    relevance = torch.cat([out.relevance for out in wanted])
    for options in ({}, {"fast": False}, {"memory": 1500}):
        found = dtd.explain(net, x, together, PLANS[plan], at=["0"], **options)
        close(found.relevance, relevance)
        close(found.initial.sum(1), torch.cat([out.initial.sum(1) for out in wanted]))
        close(found.at["0"].output, torch.cat([out.at["0"].output for out in wanted]))
        close(found.layers["2"].balance.bias, torch.cat([out.layers["2"].balance.bias for out in wanted]))
    again = dtd.explain(net, x[[3, 1]], together.of_rows(torch.tensor([3, 1])), PLANS[plan])
    close(again.relevance, relevance[[3, 1]])
    assert together == type(together)(*(v for v in vars(together).values())) and len({together, together}) == 1


@pytest.mark.parametrize("plan", PLANS)
def test_several_contrasts_from_one_sweep_are_as_each_alone(plan):
    net, x = network()
    targets = [dtd.Difference(0, 1), dtd.LogOdds(2), dtd.FromReference(0.4, output=3), dtd.Difference(OF, AGAINST)]
    targets += [dtd.Difference(0, 1), dtd.LogOdds(OF)]
    found = list(dtd.explain_each(net, x, targets, PLANS[plan]))
    for target, out in zip(targets, found, strict=True):
        alone = dtd.explain(net, x, target, PLANS[plan])
        close(out.relevance, alone.relevance), close(out.initial.sum(1), alone.initial.sum(1))
        close(out.layers["0"].balance.first, alone.layers["0"].balance.first)
    wide, y = network(nn.Tanh())
    differences = [dtd.Difference(0), dtd.Difference(OF, AGAINST)]
    for target, out in zip(differences, dtd.explain_each(wide, y, differences, PLANS[plan]), strict=True):
        close(out.relevance, dtd.explain(wide, y, target, PLANS[plan]).relevance)


def test_classes_of_each_sample_go_with_what_looks_at_samples_one_by_one():
    net, x = network()
    target, alone = FOR_EACH["difference"]
    exact = dtd.Plan([("*", dtd.Exact(dtd.Weights()))])
    wanted = [dtd.explain(net, x[i : i + 1], alone(i), exact).relevance for i in range(5)]
    close(dtd.explain(net, x, target, exact).relevance, torch.cat(wanted))
    plan = PLANS["gamma_signed"]
    each = [dtd.explain(net, x[i : i + 1], alone(i), plan, at=["1"]).at["1"].output for i in range(5)]
    close(dtd.concepts(net, x, "1", target, plan, batch=2).relevance, torch.cat(each))
    close(dtd.explain(net, x, target, plan).edges("1", "2").of_lower, torch.cat(each))
    live = x.clone().requires_grad_()
    out = dtd.explain(net, live, target, plan, create_graph=True)
    close(out.relevance.detach(), dtd.explain(net, x, target, plan).relevance)
    assert torch.autograd.grad(out.relevance.square().sum(), live)[0].abs().sum() > 0
    second = dtd.second_order(net, x, target)
    close(second.zeroth + second.first.sum(1) + second.remainder, (net.model(x).gather(1, OF[:, None])
          - net.model(x).gather(1, AGAINST[:, None]))[:, 0].detach())  # fmt: skip


def test_classes_of_each_sample_that_do_not_fit_are_refused():
    net, x = network()
    with pytest.raises(dtd.InputError, match="must have as many classes; found 5 and 2"):
        dtd.explain(net, x, dtd.Difference(OF, AGAINST[:2]), PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="a class for each of the 5 samples; found 2"):
        dtd.explain(net, x, dtd.LogOdds(OF[:2]), PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="a class for each of the 5 samples; found 1"):
        dtd.explain(net, x, dtd.LogOdds(OF[:1]), PLANS["lrp0"])
    with pytest.raises(dtd.InputError, match="'of' must be a class or an integer tensor"):
        dtd.Difference(torch.tensor([0.5]))
    with pytest.raises(dtd.InputError, match="needs classes from 0 to 3"):
        dtd.explain(net, x, dtd.Difference(OF + 2), PLANS["lrp0"])
    norm, targets = (
        nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3)).double().eval(),
        [dtd.FromReference(v, 0) for v in (0.1, 0.2)],
    )
    assert len(list(dtd.explain_each(dtd.trace(norm, x), x, targets[:1], PLANS["lrp0"]))) == 1
    with pytest.raises(dtd.InputError, match="need a network that ends with a dense layer"):
        list(dtd.explain_each(dtd.trace(norm, x), x, targets, PLANS["lrp0"]))


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
