"""The exact relevance model: against nested differences in many digits, closed forms, theorems, and its own cost."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import pytest
import torch
from mpmath import mp, mpf
from torch import nn

import dtd
from dtd import where
from dtd.network.above import live, output_from, same_region
from dtd.numeric import first_root, last_inside
from dtd.propagation import Context
from dtd.reference import Above, relevance_pass, sweep
from dtd.relevance.exact.cost import cost_above
from dtd.target import initial_relevance
from tests.models import model_and_input

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
    models, arrived = plan.bind(network), {}
    swept = sweep(network, models, x, target)
    saved, initial = dict(swept.saved), initial_relevance(swept.output, target)
    relevance_pass(network, models, swept, initial, x, arrived.__setitem__)
    above = Above(network, models, swept, position, initial.abs().sum(1))
    context = Context(position, saved[position], arrived, above)
    return list(models[position].expansions(network.layers[position], context, arrived[position]))


@dataclass(frozen=True)
class Digits:
    """A kind of number, and how finely the recursion by definition is resolved with it."""

    number: type
    width: float  # of a root's bracket, relative
    beside: float  # how far from a kink, relative, derivatives are taken
    step: float  # of a central difference, relative to the root's distance: at a root below, others are close by too
    close: float  # how well that has to agree


MANY = Digits(mpf, 1e-26, 1e-12, 1e-16, 1e-8)


class Nested:
    """The recursion by definition: roots by scanning and halving, every derivative by central differences."""

    def __init__(self, model: nn.Sequential, kind: str, digits: Digits):
        layers = [part for part in model if isinstance(part, nn.Linear)]
        self.w = [[[digits.number(v) for v in row] for row in part.weight.tolist()] for part in layers]
        self.b = [[digits.number(v) for v in part.bias.tolist()] for part in layers]
        self.kind, self.digits = kind, digits

    def z(self, level, a):
        rows = zip(self.w[level], self.b[level], strict=True)
        return [sum((w * x for w, x in zip(row, a, strict=True)), b) for row, b in rows]

    def direction(self, level, k, a):
        return [x if self.kind == "lrp0" or w > 0 else 0 * x for w, x in zip(self.w[level][k], a, strict=True)]

    def above(self, level, target, a):
        """Relevance of the outputs of layer ``level`` at its inputs ``a``."""
        z = self.z(level, a)
        if level == len(self.w) - 1:
            return [v if k == target else 0 * v for k, v in enumerate(z)]
        return self.relevance(level + 1, target, [max(v, 0 * v) for v in z])

    def relevance(self, level, target, a):
        """R_j(a) of the inputs of layer ``level``."""
        total = [0 * x for x in a]
        for k, arrived in enumerate(self.above(level, target, a)):
            if arrived != 0:
                root = self.root(level, target, k, a, arrived)
                for j in range(len(a)):
                    if root[j] != a[j]:
                        total[j] += self.slope(level, target, k, root, j, a) * (a[j] - root[j])
        return total

    def root(self, level, target, k, a, arrived):
        v = self.direction(level, k, a)

        def at(t):
            return [x - t * d for x, d in zip(a, v, strict=True)]

        def keeps(t):
            return self.above(level, target, at(t))[k] * arrived > 0

        n = sum(w * d for w, d in zip(self.w[level][k], v, strict=True))
        end = self.z(level, a)[k] / n if n else self.digits.number(1)
        end = end if end > 0 else self.digits.number(1)
        low = high = 0 * end
        for high in [end * i / 8 for i in range(1, 9)] + [end * f for f in (1.25, 1.5, 2, 3, 4)]:
            if not keeps(high):
                break
            low = high
        if low == high:
            return a
        while high - low > self.digits.width * high:
            middle = (low + high) / 2
            low, high = (middle, high) if keeps(middle) else (low, middle)
        return at(low) if abs(self.above(level, target, at(low))[k]) < 1e-6 * abs(arrived) else a

    def slope(self, level, target, k, root, j, a):
        """Central difference at a point moved a little towards the data point, off the kink; extrapolated to the root."""
        near, far = (self.difference(level, target, k, root, j, a, f * self.digits.beside) for f in (1, 2))
        return 2 * near - far

    def difference(self, level, target, k, root, j, a, beside):
        point = [r + beside * (x - r) for r, x in zip(root, a, strict=True)]
        step = self.digits.step * max(abs(x - r) for r, x in zip(root, a, strict=True))
        up, down = ([p + s * step * (i == j) for i, p in enumerate(point)] for s in (1, -1))
        return (self.above(level, target, up)[k] - self.above(level, target, down)[k]) / (2 * step)


CASES = [([2, 3, 2], MANY), pytest.param([2, 2, 2, 2], MANY, marks=pytest.mark.slow)]


@pytest.mark.parametrize("kind", ["zplus", "lrp0"])
@pytest.mark.parametrize("seed", [5, 7])
@pytest.mark.parametrize(("sizes", "digits"), CASES)
def test_exact_layers_are_the_nested_recursion(kind, seed, sizes, digits):
    if (kind, seed, len(sizes)) == ("lrp0", 7, 4):
        pytest.xfail("open: here the nested differences find another relevance, which balances less well")
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


class Doubled(nn.Module):
    def forward(self, x):
        return x + x


@pytest.mark.parametrize("name", ["residual"])
def test_the_network_above_is_the_rest_of_the_network(name):
    model, x = model_and_input(name)
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    outputs = {-1: x}
    for i, layer in enumerate(network.layers):
        inputs_ = tuple(outputs[j] for j in layer.inputs)
        affine = hasattr(layer.primitive, "apply")
        outputs[i] = layer.primitive.apply(layer.joined(inputs_)) if affine else layer.primitive.forward(layer, inputs_)[0]
    for first in range(len(network.layers) + 1):
        values = {j: outputs[j] for j in live(network, first)}
        torch.testing.assert_close(output_from(network, first, values), model(x))


def test_a_region_ends_where_a_sign_or_a_winner_changes():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Unflatten(1, (1, 3)), nn.MaxPool1d(3)).double()
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    network, rows = dtd.trace(model, x), torch.zeros(200, dtype=torch.long)
    same = same_region(network, 0, {-1: x[:1]}, {-1: x}, rows)
    h = model[0](x)
    signs = ((h > 0) == (h[:1] > 0)).all(1)
    winner = (h[:1] <= 0).all() | (h.argmax(1) == h[:1].argmax(1))
    assert torch.equal(same, signs & winner) and 0 < same.sum() < 200
    w = model[0].weight[0].detach()
    kink = x[:1] - (h[:1, :1] / w.square().sum()) * w
    for moved in (kink + 1e-6 * w, kink - 1e-6 * w):
        assert bool(same_region(network, 0, {-1: moved}, {-1: kink}, rows[:1]))
        assert not bool(same_region(network, 0, {-1: moved}, {-1: 2 * kink - moved}, rows[:1]))


def test_first_roots_on_rays():
    """Zeros of cubics and a plateau, against the roots themselves."""
    roots = torch.tensor([0.3, 1.7, 0.9, 5.0], dtype=torch.double)
    value = lambda rows, t: (roots[rows] - t) ** 3 * (1 + t)  # noqa: E731
    grid = torch.arange(1, 9, dtype=torch.double).expand(4, -1) / 4
    t, exists = first_root(value, value(torch.arange(4), torch.zeros(4).double()), grid)
    assert exists.tolist() == [True, True, True, False]
    torch.testing.assert_close(t[:3], roots[:3], rtol=5e-13, atol=0)
    assert bool((value(torch.arange(3), t[:3]) > 0).all())
    flat = lambda rows, t: (roots[rows] - t).clamp(min=0)  # noqa: E731
    t, exists = first_root(flat, roots, grid)
    torch.testing.assert_close(t[:3], roots[:3], rtol=5e-13, atol=0)
    end = last_inside(lambda rows, t: t <= roots[rows], torch.full((4,), 2.0).double())
    torch.testing.assert_close(end, roots.clamp(max=2.0), rtol=1e-12, atol=0)


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
