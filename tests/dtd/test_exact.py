"""The exact relevance model: against nested differences in many digits, closed forms, theorems, and its own cost."""

from itertools import pairwise
from math import prod

import pytest
import torch
from mpmath import mp
from torch import nn

import dtd
from dtd import where
from dtd.explaining.observe import observe
from dtd.explaining.sweep import Above
from dtd.relevance.exact.cost import cost_above
from tests.nested import MANY, Nested

LARGE = 10**9


def dense(sizes: list[int], bias: bool = True, seed: int = 0) -> nn.Sequential:
    """A ReLU network in float64 whose random biases are negative, so that most roots lie in the domain."""
    generator = torch.Generator().manual_seed(seed)
    layers = [part for n, m in pairwise(sizes) for part in (nn.Linear(n, m, bias=bias), nn.ReLU())][:-1]
    model = nn.Sequential(*layers).double().eval()
    with torch.no_grad():
        for layer in model[::2]:
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator, dtype=torch.double) + 0.4)
            if bias:
                layer.bias.copy_(-0.2 * torch.rand(layer.bias.shape, generator=generator, dtype=torch.double))
    return model


def inputs(n: int, *shape: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double) + 0.1


def exact(direction=None, **options) -> dtd.Exact:
    return dtd.Exact(direction or dtd.ZPlus(), **{"budget": LARGE, **options})


def gradient(model, x, target) -> torch.Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model(x)[:, target].sum(), x)[0]


@torch.no_grad()
def expansions(network, x, target, plan, position) -> list:
    """The expansions of one exact layer at the data point."""
    passed = observe(network, x, target, plan)
    model = passed.models[position]
    return list(model.expansions(network.layers[position], passed.context(position), passed.arrived[position]))


CASES = [([2, 3, 2], MANY), pytest.param([2, 2, 2, 2], MANY, marks=pytest.mark.slow)]


@pytest.mark.parametrize("kind", ["zplus", "lrp0"])
@pytest.mark.parametrize("seed", [5, 7])
@pytest.mark.parametrize(("sizes", "digits"), CASES)
def test_exact_layers_are_the_nested_recursion(kind, seed, sizes, digits):
    model, x = dense(sizes, seed=seed), inputs(1, 2, seed=seed)
    direction = dtd.ZPlus() if kind == "zplus" else dtd.Activations()
    out = dtd.explain(dtd.trace(model, x, dtd.NonNegative()), x, 0, dtd.Plan([("*", exact(direction))]))
    mp.dps = 60
    found = Nested(model, kind, digits).relevance(0, 0, [digits.number(v) for v in x[0].tolist()])
    expected = torch.tensor([[float(v) for v in found]], dtype=torch.double)
    torch.testing.assert_close(out.relevance, expected, rtol=digits.close, atol=digits.close * x.abs().max().item())


def test_without_biases_rays_to_the_origin_give_gradient_times_input():
    """Such a network is linear along the ray, so every root stays in the linear region; three exact layers deep."""
    model, x = dense([2, 4, 3, 2], bias=False, seed=2), inputs(2, 2)
    plan = dtd.Plan([("*", exact(dtd.Activations()))])
    out = dtd.explain(dtd.trace(model, x, dtd.NonNegative()), x, 0, plan)
    torch.testing.assert_close(out.relevance, gradient(model, x, 0) * x, rtol=1e-8, atol=1e-10)
    shorter = dtd.explain(dtd.trace(model, x, dtd.NonNegative()), x, 0, dtd.Plan.uniform("lrp0"))
    torch.testing.assert_close(out.relevance, shorter.relevance, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("bias", [False, True])
def test_held_roots_in_the_region_give_the_closed_form(bias):
    """``R_j = Σ_k ∂f/∂h_k w_kj (x_j − x̃_kj)``: what is above a layer only decides its roots (Sixt & Landgraf 2022)."""
    model, x = dense([3, 6, 2], bias=bias, seed=2), inputs(3, 3)
    network = dtd.trace(model, x, dtd.NonNegative())
    plan = dtd.Plan([("*", exact(roots="region"))])
    out = dtd.explain(network, x, 0, plan)
    h = model[0](x).detach().requires_grad_()
    (g,) = torch.autograd.grad(model[1:](h)[:, 0].sum(), h)
    (part,) = expansions(network, x, 0, plan, 0)
    w, way = model[0].weight.detach()[part.ways.units], x[part.ways.samples] - part.points
    closed = torch.zeros_like(x).index_add(0, part.ways.samples, g[part.ways.samples, part.ways.units][:, None] * w * way)
    torch.testing.assert_close(out.relevance, closed, rtol=1e-9, atol=1e-11)
    assert (way.abs().amax(1) > 0).all() and bool(part.ways.same_region(part.points).all())


def test_below_one_training_free_layer_the_constant_moves_to_the_root():
    """At a unit's own kink the exact share is the training-free one times ``c_k(ã_k) / c_k(a)``; z⁺ is the rule above."""
    model, x = dense([3, 6, 5], seed=4), inputs(4, 3)
    network, v_plus = dtd.trace(model, x, dtd.NonNegative()), model[2].weight.detach().clamp(min=0)
    plan = dtd.Plan([(where.first, exact()), (where.every, dtd.Ray(dtd.ZPlus()))])
    (part,) = expansions(network, x, lambda out: out, plan, 0)
    k, w = part.ways.units, model[0].weight.detach()[part.ways.units]

    def constant(a):
        h = torch.relu(model[0](a)).detach()
        return (torch.nan_to_num(model[2](h).detach() / (h @ v_plus.T)) @ v_plus).gather(1, k[:, None])

    data, z = x[part.ways.samples], model[0](part.points).detach().gather(1, k[:, None])[:, 0]
    own = (z.abs() < 1e-9) & part.exists
    assert own.sum() > 5
    share = w.clamp(min=0) * data / (w.clamp(min=0) * data).sum(1, keepdim=True)
    expected = part.relevance[:, None] * share * constant(part.points) / constant(data)
    torch.testing.assert_close(part.first[own], expected[own], rtol=1e-7, atol=1e-9)
    assert (constant(part.points) / constant(data) - 1)[own].abs().max() > 0.1


def test_a_relevance_that_is_constant_has_no_root_and_stays():
    network = dtd.trace(dense([3, 4, 2]), inputs(2, 3), domain=dtd.NonNegative())
    plan = dtd.Plan([(where.every, exact())])
    out = dtd.explain(network, inputs(2, 3), torch.ones_like, plan)
    balance = out.layers["2"].balance
    assert torch.equal(out.relevance, torch.zeros_like(out.relevance)) and torch.equal(balance.zeroth, balance.relevance)


def test_a_network_with_pooling_a_sum_and_a_skip_closes_its_balance():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.body, self.head = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1), nn.Linear(2, 2)
            self.pool = nn.MaxPool2d(2)

        def forward(self, x):
            x = self.pool(torch.relu(self.stem(x)))
            x = torch.relu(x + self.body(x))
            return self.head(nn.functional.avg_pool2d(x, 2).flatten(1))

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, x = Skip().double().eval(), inputs(1, 1, 4, 4)
    model.head.weight.data.abs_()
    model.stem.weight.data.abs_()
    network = dtd.trace(model, x, dtd.NonNegative())
    signed = exact(dtd.Contributions(1))
    plan = dtd.Plan([(where.kind("sum"), signed), (where.depth(1, 2), signed), (where.every, dtd.Ray(dtd.Contributions(1)))])
    out = dtd.explain(network, x, 0, plan)
    for record in out.layers.values():
        assert record.balance.gap.abs().max() < 1e-9 * out.initial.abs().max()
    rows = dtd.audit(network, x, 0, plan)
    assert list(rows[rows.model == "Exact"].kind) == ["convolution", "sum"] and (rows.gap < 1e-9).all()
    shares = rows[rows.model == "Exact"][["valid", "no_root", "not_zero", "domain_left", "region_left"]]
    assert torch.allclose(torch.tensor(shares.astype(float).sum(1).to_list()), torch.ones(2))


def test_chunks_and_batches_do_not_change_the_result():
    model, x = dense([2, 3, 2], seed=2), inputs(3, 2)
    network = dtd.trace(model, x, dtd.NonNegative())
    plan = dtd.Plan([("*", exact(grid=3))])
    whole = dtd.explain(network, x, 0, plan).relevance
    needed = cost_above(network.layers, {2: 1, 0: 1}, 0).bytes
    small = dtd.explain(network, x, 0, dtd.Plan([("*", exact(grid=3, memory=4 * needed))])).relevance
    single = torch.cat([dtd.explain(network, x[i : i + 1], 0, plan).relevance for i in range(3)])
    torch.testing.assert_close(small, whole, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(single, whole, rtol=1e-9, atol=1e-12)
    targets = torch.tensor([0, 1, 0])
    mixed = dtd.explain(network, x, targets, plan).relevance
    torch.testing.assert_close(mixed[[0, 2]], whole[[0, 2]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("roots", ["moving", "held", "region"])
def test_the_estimate_bounds_what_is_evaluated(monkeypatch, roots):
    """Every evaluation of the network is counted, bisections to roots that lie off the grid among them."""
    model, x = dense([3, 5, 4, 2], seed=2), inputs(2, 3)
    network = dtd.trace(model, x, dtd.NonNegative())
    plan = dtd.Plan([(where.last, dtd.Ray(dtd.Activations())), ("*", exact(dtd.Activations(), roots=roots))])
    points, rows = plan.bind(network)[0].points, []
    monkeypatch.setattr(Above, "__call__", counting(Above.__call__, rows))
    monkeypatch.setattr(Above, "same_region", counting(Above.same_region, rows))
    dtd.explain(network, x, 0, plan)
    layers = {2: points, 0: points}
    per_row = {i: cost_above(network.layers, layers, i).evaluations for i in layers}
    assert per_row == {2: 1, 0: 1 + 4 * points}
    estimate = sum(2 * prod(network.layers[i].shape) * points * per_row[i] for i in layers)
    assert 2 * 9 * 40 < sum(rows) <= estimate, "no bisections, or more than was said"
    with pytest.raises(dtd.BudgetError, match=rf"at layer '0' needs about .* \(2 samples × 5 units × {points} points ×"):
        dtd.explain(network, x, 0, dtd.Plan([("*", dtd.Exact(dtd.Activations(), roots, budget=1000))]))
    with pytest.raises(dtd.BudgetError, match="One root of layer '0' needs about"):
        dtd.explain(network, x, 0, dtd.Plan([("*", exact(memory=1000))]))


def counting(function, rows):
    def call(self, *arguments):
        rows.append(len(next(part for part in arguments if isinstance(part, torch.Tensor))))
        return function(self, *arguments)

    return call


class Doubled(nn.Module):
    def forward(self, x):
        return x + x


def test_what_it_cannot_start_from_is_refused():
    model, x = dense([3, 4, 2]), inputs(2, 3)
    network, plan = dtd.trace(model, x, dtd.NonNegative()), dtd.Plan([("*", exact())])
    with pytest.raises(dtd.InputError, match="needs a target that says what is explained of any output"):
        dtd.explain(network, x, torch.ones(2, 2).double(), plan)
    with pytest.raises(dtd.InputError, match="'roots' must be one of moving, held, region; found 'free'"):
        exact(roots="free")
    twice = nn.Sequential(nn.Linear(3, 3), Doubled(), nn.Linear(3, 2)).double()
    with pytest.raises(dtd.InputError, match="reads twice"):
        dtd.explain(dtd.trace(twice, x), x, 0, dtd.Plan([(where.kind("sum", "dense"), exact(dtd.Activations()))]))
    smooth = nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 2)).double()
    with pytest.raises(dtd.InputError, match=r"Linear regions need piecewise linear functions .* is gelu"):
        dtd.explain(dtd.trace(smooth, x), x, 0, dtd.Plan([("*", exact(dtd.Weights(), roots="region"))]))


def test_relevance_that_does_not_depend_on_the_activations_stays_in_the_zeroth_term():
    """A target that counts outputs above 0 is flat: no root, no slope, nothing to hand down."""
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    network = dtd.trace(model, x)
    plan = dtd.Plan([(dtd.where.first, dtd.Exact(dtd.Activations())), (dtd.where.every, dtd.rules.choose("lrp0"))])
    flat = dtd.Plan([(dtd.where.every, dtd.Exact(dtd.Activations()))])
    for chosen in (plan, flat):
        out = dtd.explain(network, x, lambda y: torch.zeros_like(y), chosen)
        assert not out.relevance.any() and out.relevance.isfinite().all()
