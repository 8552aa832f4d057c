"""Averages over roots: against their parts, by brute force, and with a standard error that means what it says."""

import numpy as np
import pytest
import torch
from torch import nn

import dtd
from dtd.network.activations import activations
from dtd.root.units import FieldUnits
from tests.cases import make_case

SIGNS = dict.fromkeys(("weight", "bias", "input", "relevance"), "mixed")


def network_and_input(batch=3):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4)).double()
    x = torch.rand(batch, 1, 4, 4, dtype=torch.double)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


def one_layer(model, case):
    return model.backward(case.layer, model.forward(case.layer, (case.x,))[1], case.relevance)


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("direction", [dtd.Weights(), dtd.Contributions(1), dtd.SignedGamma(0.5), dtd.ToBox(-4.0, 4.0)])
@pytest.mark.parametrize("name", ["linear", "conv2d_groups"])
def test_jittered_roots_read_alike_and_are_roots(name, direction, bias):
    case = make_case(name, "real", 2, SIGNS, 2)
    ray = dtd.Ray(dtd.Jitter(direction, 0.7, seed=3), bias)
    fused, built = (one_layer(dtd.Linear(root), case) for root in (ray, dtd.Explicit(ray)))
    torch.testing.assert_close(fused.relevance[0], built.relevance[0], rtol=1e-9, atol=1e-10)
    units = FieldUnits(case.layer.op, case.x, torch.arange(torch.Size(case.layer.op.out_shape).numel()))
    root, plain = ray.root(units, dtd.Real()), dtd.Ray(direction, bias).root(units, dtd.Real())
    near = root.exists & (root.shift.abs().amax(-1) < 1e3)
    assert bool(near.any()) and (root.residual(units)[0] * near).abs().max() < 1e-9
    ahead = (root.exists & plain.exists)[..., None]
    assert torch.equal(root.shift.sign() * ahead, plain.shift.sign() * ahead)
    still = dtd.Ray(dtd.Jitter(direction, 0.0), bias).root(units, dtd.Real())
    torch.testing.assert_close(still.shift, plain.shift)


def test_an_average_is_the_mean_of_its_parts():
    network, x = network_and_input()
    parts = [dtd.Ray(dtd.Weights()), dtd.Ray(dtd.Contributions(1), "neuron"), dtd.Nearest()]
    last = [(~dtd.where.last, dtd.Ray(dtd.Activations()))]
    outs = [dtd.explain(network, x, 1, dtd.Plan([(dtd.where.last, r), *last])) for r in (*parts, dtd.Average(tuple(parts)))]
    torch.testing.assert_close(outs[3].relevance, sum(out.relevance for out in outs[:3]) / 3, rtol=1e-10, atol=1e-12)
    for part in ("first", "bias", "zeroth", "remainder"):
        mean = sum(getattr(out.layers["5"].balance, part) for out in outs[:3]) / 3
        torch.testing.assert_close(getattr(outs[3].layers["5"].balance, part), mean, rtol=1e-10, atol=1e-12)
    assert dtd.Average(tuple(parts)).bias_moves and dtd.Average(tuple(parts)).searches() is None
    assert len(dtd.jittered(dtd.Weights(), 5).searches()) == 5


def test_the_audits_standard_error_is_that_of_the_mean():
    network, x = network_and_input()
    strategy = dtd.jittered(dtd.Weights(), count=6, spread=0.5)
    rows = dtd.audit(network, x, 1, dtd.Plan([(dtd.where.last, strategy), (dtd.where.every, dtd.rules.choose("lrp0"))]))
    layer, a, _ = list(activations(network, x))[-1]
    units, relevance = FieldUnits(layer.op, a, torch.tensor([1])), layer.op.apply(a)[:, [1]]
    draws = [
        dtd.Linear(ray).terms(units, layer.domain, relevance).first.detach().numpy()
        for ray in strategy.placed(layer.name).strategies
    ]
    error = np.std(draws, axis=0, ddof=1) / 6**0.5
    relative = np.linalg.norm(error, axis=-1) / np.linalg.norm(np.mean(draws, axis=0), axis=-1)
    assert rows.standard_error.iloc[-1] == pytest.approx(np.median(relative), rel=1e-9)  # three samples, one unit
    assert rows.standard_error.isna()[0] and rows.root.iloc[-1] == "Average"
    alone = dtd.audit(network, x, 1, dtd.Plan([(dtd.where.every, dtd.Average((dtd.Ray(dtd.Weights()),)))]))
    assert alone.standard_error.isna().all()


def test_each_root_of_a_distribution_counts():
    """Two strategies that are equal have no error; a mix is one draw, not one for each of its roots."""
    network, x = network_and_input()
    twice = dtd.Average((dtd.rules.choose("alphabeta").rule.derived(alpha=2.0, beta=1.0),) * 2)
    rows = dtd.audit(network, x, 1, dtd.Plan([(dtd.where.every, twice)]))
    assert (rows.standard_error.dropna() == 0).all()
    model = nn.Linear(2, 1).double()
    torch.nn.init.ones_(model.weight), torch.nn.init.zeros_(model.bias)
    away = dtd.Average(tuple(dtd.Ray(dtd.Toward(torch.tensor([[1 - a, 1 - b]]).double())) for a, b in ((3, -1), (-1, 3))))
    network = dtd.trace(model, torch.ones(2, 2).double(), dtd.NonNegative())
    row = dtd.audit(network, torch.ones(1, 2).double(), 0, dtd.Plan([(dtd.where.every, away)])).iloc[0]
    assert (row.units, row.valid, row.domain_left) == (1, 0.0, 1.0) and row.distance == pytest.approx(10**0.5)
    half = dtd.Average((dtd.Ray(dtd.Activations()), *away.strategies[:1]))
    row = dtd.audit(network, torch.ones(1, 2).double(), 0, dtd.Plan([(dtd.where.every, half)])).iloc[0]
    assert (row.units, row.valid, row.domain_left) == (1, 0.5, 0.5)


def test_layers_of_one_shape_draw_for_themselves():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    network = dtd.trace(model, torch.rand(2, 3).double())
    first, _, second = dtd.Plan([(dtd.where.every, dtd.Ray(dtd.Jitter(dtd.Flat())))]).bind(network)
    assert first.root.direction.seed != second.root.direction.seed


def test_plans_average_to_the_plan_of_averages():
    """Independent draws for each layer: multilinearity, within the standard error that is reported."""
    network, x = network_and_input(1)

    def drawn(seed):
        return dtd.Plan([(dtd.where.every, dtd.Ray(dtd.Jitter(dtd.Weights(), 0.5, seed)))])

    found = dtd.mean_over_plans(network, x, 2, map(drawn, range(200)))
    exact = dtd.explain(network, x, 2, dtd.Plan([(dtd.where.every, dtd.jittered(dtd.Weights(), 200, 0.5))])).relevance
    off = ((found.relevance - exact) / found.standard_error).abs()
    assert found.count == 200 and 0.3 < off.square().mean().sqrt() < 2.0
    plain = [dtd.explain(network, x, 2, drawn(s)).relevance for s in range(200)]
    torch.testing.assert_close(found.relevance, torch.stack(plain).mean(0))
    torch.testing.assert_close(found.standard_error, torch.stack(plain).std(0) / 200**0.5)


@pytest.mark.parametrize("root", [True, False])
def test_references_from_data(root):
    network, x = network_and_input()
    data = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(9), dtype=torch.double)
    plan = dtd.toward_data(network, data, root)
    out = dtd.explain(network, x, 1, plan)
    assert all(r.balance.gap.abs().max() < 1e-9 * (1 + r.balance.first.abs().max()) for r in out.layers.values())
    affine, (*_, (_, reference, _)) = network["5"].op, activations(network, data)
    *_, (_, a, _) = activations(network, x)
    z, w = affine.apply(a)[:, 1], affine.weight[1]
    first = out.layers["5"].balance.first
    expected = z if root else ((a[:, None] - reference) @ w).mean(1)  # every root hands all of R = z down
    torch.testing.assert_close(first, expected.detach())


def test_what_cannot_be_averaged():
    network, x = network_and_input()
    with pytest.raises(dtd.InputError, match="needs at least 2 plans; found 1"):
        dtd.mean_over_plans(network, x, 1, [dtd.Plan.uniform("lrp0")])
    with pytest.raises(dtd.InputError, match="'strategies' must be at least one"):
        dtd.Average(())
    with pytest.raises(dtd.InputError, match="'strategies' must be root strategies"):
        dtd.Average((dtd.Weights(),))
    with pytest.raises(dtd.InputError, match="'count' must be >= 1"):
        dtd.jittered(dtd.Weights(), 0)
    with pytest.raises(dtd.InputError, match="'spread' must be >= 0"):
        dtd.Jitter(dtd.Weights(), -1.0)


def test_a_module_used_twice_has_references_of_its_own_for_each_use():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.shared = nn.Linear(3, 3)

        def forward(self, x):
            return self.shared(torch.relu(self.shared(x)))

    torch.manual_seed(0)
    model, data = Twice().double(), torch.rand(4, 3).double()
    network = dtd.trace(model, data)
    plan = dtd.toward_data(network, data)
    first, second = (model.root for model in plan.bind(network) if isinstance(model, dtd.RelevanceModel))
    below = torch.relu(model.shared(data)).detach()
    for strategy, expected in ((first, data), (second, below)):
        points = torch.cat([ray.direction.point for ray in strategy.strategies])
        torch.testing.assert_close(points, expected)
