"""The nearest root in the domain, against scipy's SLSQP and linear programs, w², and by hand."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

import dtd
from dtd.affine import Dense
from dtd.audit.validity import Status, distance, status
from dtd.root.units import FieldUnits
from tests.cases import make_case, traced

INF = float("inf")


def unit(a, w, b, domain, **options):
    """The nearest root of one dense unit: its point, whether it exists, and the units."""
    row, x = torch.as_tensor(w, dtype=torch.double)[None], torch.as_tensor(a, dtype=torch.double)[None]
    affine = Dense(weight=row, bias=torch.full((1,), float(b), dtype=torch.double), in_shape=x.shape[1:], out_shape=(1,))
    units = FieldUnits(affine, x, torch.arange(1))
    root = dtd.Nearest(**options).root(units, domain)
    return root.points(units)[0, 0].numpy(), bool(root.exists), units, root


def drawn(seed):
    """A random unit with ties, zero weights, inputs on their bounds, and any of the domains."""
    draw = np.random.default_rng(seed)
    inputs = draw.integers(1, 7)
    domain = [dtd.Real(), dtd.NonNegative(), dtd.Box(-0.5, 1.0)][seed % 3]
    low, high = ((-INF, INF), (0.0, INF), (-0.5, 1.0))[seed % 3]
    a = np.clip(draw.normal(size=inputs), low, high)
    w, b = draw.normal(size=inputs), draw.normal()
    metric = np.exp(draw.normal(size=inputs)) if seed % 2 else np.ones(inputs)
    if seed % 5 == 0:
        w[draw.random(inputs) < 0.4] = 0.0
    if seed % 7 == 0:  # ties: equal breakpoints
        w[:], a[:], metric[:] = np.abs(w[0]), a[0], 1.0
    return a, w, b, domain, (low, high), metric


def by_slsqp(a, w, b, bounds, metric):
    """The projection by a general solver; None where the domain holds no root."""
    low, high = bounds
    ends = [[x * bound if x else 0.0 for bound in bounds] for x in w]
    if b + sum(map(min, ends)) > 0 or b + sum(map(max, ends)) < 0:
        return None
    scale = {"maxiter": 500, "ftol": 1e-14}
    constraint = {"type": "eq", "fun": lambda y: w @ y + b, "jac": lambda y: w}
    box = [(None if low == -INF else low, None if high == INF else high)] * len(a)
    found = minimize(
        lambda y: 0.5 * ((metric * (y - a)) ** 2).sum(),
        a,
        jac=lambda y: metric**2 * (y - a),
        bounds=box,
        constraints=[constraint],
        method="SLSQP",
        options=scale,
    )
    return found.x


def check_against_slsqp(seed):
    a, w, b, domain, bounds, metric = drawn(seed)
    point, exists, _, _ = unit(a, w, b, domain, metric=torch.as_tensor(metric)[None])
    expected = by_slsqp(a, w, b, bounds, metric)
    assert exists == (expected is not None), seed
    if not exists:
        assert np.array_equal(point, a)
        return
    assert abs(w @ point + b) < 1e-9 * (1 + np.abs(w * point).sum()), seed
    assert (point >= bounds[0] - 1e-12).all() and (point <= bounds[1] + 1e-12).all(), seed
    ours, theirs = (np.linalg.norm(metric * (y - a)) for y in (point, expected))
    assert ours <= theirs * (1 + 1e-8) + 1e-9, seed
    assert np.abs(point - expected).max() < 1e-4 * (1 + np.abs(expected).max()), seed


def test_it_is_the_projection_that_a_general_solver_finds():
    for seed in range(210):
        check_against_slsqp(seed)


@pytest.mark.slow
def test_it_is_the_projection_that_a_general_solver_finds_thousands_of_times():
    for seed in range(210, 6000):
        check_against_slsqp(seed)


@pytest.mark.parametrize(
    "name", ["linear", "conv2d_stride_dilation", "conv2d_groups", "conv_transpose2d", "avg_pool2d_ceil"]
)
@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
def test_in_real_space_it_is_the_w2_root(name, bias):
    case = make_case(name, "real", 2, dict.fromkeys(("weight", "bias", "input", "relevance"), "mixed"), 3)
    layer = case.layer
    for model in (dtd.Linear, dtd.TrainingFree):
        found = [model(root) for root in (dtd.Nearest(bias=bias), dtd.Ray(dtd.Weights(), bias))]
        lower = [m.backward(layer, m.forward(layer, (case.x,))[1], case.relevance) for m in found]
        torch.testing.assert_close(lower[0].relevance[0], lower[1].relevance[0], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(lower[0].balance.bias, lower[1].balance.bias, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "conv2d", "conv2d_stride_dilation", "conv_transpose1d", "conv1d_same_even"])
@pytest.mark.parametrize("domain", ["nonnegative", "box"])
def test_no_rule_has_a_valid_root_that_is_nearer(name, domain):
    signs = {"weight": "mixed", "bias": "mixed", "input": "sparse", "relevance": "positive"}
    case = make_case(name, domain, 3, signs, 11)
    layer = case.layer
    units = FieldUnits(layer.op, case.x, torch.arange(torch.Size(layer.op.out_shape).numel()))
    model = dtd.TrainingFree(dtd.Nearest())
    nearest = model.root.root(units, layer.domain)
    active = units.z > 0
    found = status(model, nearest, units, layer.domain)
    assert set(found[active].tolist()) <= {Status.VALID, Status.NO_ROOT}
    assert bool((found[active] == Status.VALID).any())
    least = distance(nearest, units)[0]
    rules = [dtd.Activations(), dtd.Contributions(1), dtd.Gamma(0.5), dtd.Weights(), dtd.Flat()]
    rules += [dtd.ToBox(-1.0, 2.0)] if domain == "box" else [dtd.ZPlus()]
    for rule in rules:
        other = dtd.TrainingFree(dtd.Ray(rule))
        ((_, root),) = other.root.roots(units, layer.domain)
        valid = status(other, root, units, layer.domain) == Status.VALID
        assert bool((found[valid] == Status.VALID).all()), f"{rule}: a valid root where none was found"
        assert bool((distance(root, units)[0] >= least - 1e-9)[valid].all()), f"{rule} is nearer"


def test_every_share_has_the_sign_of_the_relevance_and_the_rest_stays():
    signs = {"weight": "positive", "bias": "mixed", "input": "sparse", "relevance": "mixed"}
    case = make_case("conv2d", "nonnegative", 2, signs, 5)
    layer, model = case.layer, dtd.Linear(dtd.Nearest())
    units = FieldUnits(layer.op, case.x, torch.arange(torch.Size(layer.op.out_shape).numel()))
    relevance = case.relevance.flatten(1)
    terms = model.terms(units, layer.domain, relevance)
    exists = model.root.root(units, layer.domain).exists
    assert 0 < int(exists.sum()) < exists.numel()
    assert bool((terms.first * relevance.sign()[..., None] >= 0).all())
    torch.testing.assert_close(terms.first.sum(-1), relevance * exists, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(terms.zeroth, relevance * ~exists, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("a", "w", "b", "domain", "expected"),
    [
        ([1.0, 1.0], [1.0, 1.0], 0.0, dtd.NonNegative(), [0.0, 0.0]),  # the corner is the only root
        ([1.0, 3.0], [1.0, 1.0], -1.0, dtd.NonNegative(), [0.0, 1.0]),  # one input is cut off
        ([1.0, 2.0], [1.0, -1.0], 2.0, dtd.NonNegative(), [0.5, 2.5]),  # an inhibitory input grows
        ([1.0, 2.0], [1.0, 0.0], 1.0, dtd.NonNegative(), None),  # z >= 1 on the whole orthant
        ([0.5, 0.5], [1.0, -1.0], 1.0, dtd.Box(0.0, 1.0), [0.0, 1.0]),  # a corner of the box
        ([0.5, 0.5], [1.0, -1.0], 1.0001, dtd.Box(0.0, 1.0), None),
        ([1.0, 1.0], [0.0, 0.0], 1.0, dtd.Real(), None),  # no weights: constant
        ([2.0, 2.0], [1.0, 1.0], -6.0, dtd.Box(0.0, 4.0), [3.0, 3.0]),  # an inactive unit: upwards
        ([0.0, 1.0], [1.0, 1.0], -1.0, dtd.NonNegative(), [0.0, 1.0]),  # z = 0: the data point is a root
    ],
)
def test_known_projections(a, w, b, domain, expected):
    point, exists, _, _ = unit(a, w, b, domain)
    assert exists == (expected is not None)
    assert point.tolist() == pytest.approx(a if expected is None else expected)


def test_at_z_zero_the_shift_is_the_limit():
    _, _, _, at = unit([0.0, 1.0, 1.0], [1.0, 2.0, -1.0], -1.0, dtd.NonNegative())
    _, _, _, near = unit([0.0, 1.0 + 1e-9, 1.0], [1.0, 2.0, -1.0], -1.0, dtd.NonNegative())
    torch.testing.assert_close(at.shift, near.shift, rtol=1e-6, atol=1e-9)


def test_weighted_norms():
    a, w = [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]
    point, _, units, root = unit(a, w, 0.0, dtd.Real(), metric=lambda a: a.rsqrt())  # D² = 1/a: along a w
    assert point.tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert dtd.Nearest(metric=lambda a: a.rsqrt()).length(root, units).item() == pytest.approx(6**0.5)
    still, _, _, _ = unit(a, w, 0.0, dtd.Real(), metric=torch.tensor([[INF, 1.0, 1.0]]).double())
    assert still.tolist() == pytest.approx([1.0, -1.0, 0.0])
    with pytest.raises(dtd.InputError, match=r"'metric' must be positive; found \[0.0\]"):
        unit(a, w, 0.0, dtd.Real(), metric=0.0)
    with pytest.raises(dtd.InputError, match="'bias' must be one of"):
        dtd.Nearest(bias="none")


def test_padding_is_no_input():
    _, network = traced("conv2d")
    x = torch.rand(2, *network.shape, dtype=torch.double)
    model, layer = dtd.Linear(dtd.Nearest(metric=lambda a: 1 / a)), network.layers[0]
    out = model.backward(layer, model.forward(layer, (x,))[1], torch.ones(2, *layer.shape, dtype=torch.double))
    torch.testing.assert_close(out.balance.first, out.balance.relevance)
    assert bool(out.relevance[0].isfinite().all())


def test_the_audit_measures_every_rule_against_the_nearest_root():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    x = torch.rand(4, 6, dtype=torch.double)
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    own = dtd.audit(network, x, 1, dtd.Plan([(dtd.where.every, dtd.Nearest())]), nearest=dtd.Nearest())
    own = own[own.root != ""]
    assert own.of_nearest.tolist() == pytest.approx([1.0, 1.0]) and own.no_root.tolist() == own.rootless.tolist()
    weights = dtd.audit(network, x, 1, dtd.Plan.uniform("wsquare"), nearest=dtd.Nearest())
    assert bool((weights.of_nearest.dropna() <= 1 + 1e-12).all())
    box = dtd.audit(network, x, 1, dtd.Plan.uniform("zbox", low=0.0, high=1.0), nearest=dtd.Nearest())
    assert box.of_nearest[0] > 1 and box.rootless[0] == box.domain_left[0]
    assert "of_nearest" not in dtd.audit(network, x, 1, dtd.Plan.uniform("wsquare"))


def test_the_ratio_of_distances_by_hand():
    module, x = nn.Linear(2, 1).double(), torch.tensor([[1.0, 3.0]], dtype=torch.double)
    with torch.no_grad():
        module.weight.fill_(1.0), module.bias.fill_(-1.0)
    network = dtd.trace(module, x, domain=dtd.NonNegative())
    rows = dtd.audit(network, x, 0, dtd.Plan.uniform("lrp0"), nearest=dtd.Nearest())
    assert rows.of_nearest[0] == pytest.approx(0.75 * 10**0.5 / 5**0.5) and rows.rootless[0] == 0.0


@pytest.mark.parametrize("batch", [0, 2])
def test_no_relevance_and_no_samples_are_explained_too(batch):
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    network = dtd.trace(model, torch.zeros(2, 4, dtype=torch.double), domain=dtd.Box(-5.0, 5.0))
    x = torch.zeros(batch, 4, dtype=torch.double)
    plan = dtd.Plan([(dtd.where.every, dtd.TrainingFree(dtd.Nearest()))])
    out = dtd.explain(network, x, torch.zeros(batch, 3, dtype=torch.double), plan)
    assert out.relevance.shape == x.shape and not out.relevance.any()
    assert (dtd.audit(network, x, torch.zeros(batch, 3, dtype=torch.double), plan).units == 0).all()


def test_a_weighted_sum_is_shared_by_its_squared_weights():
    """x − 2y with R = (1, 9): the nearest root hands 1/5 to x and 4/5 to y, whatever they are."""

    class Difference(nn.Module):
        def forward(self, x):
            return torch.sub(x[:, :2], x[:, 2:], alpha=2)

    x = torch.tensor([[1.0, 3.0, -2.0, -6.0]], dtype=torch.double)
    plan = dtd.Plan([(dtd.where.kind("sum"), dtd.Linear(dtd.Nearest()))])
    found = dtd.explain(dtd.trace(Difference(), x), x, torch.tensor([[1.0, 9.0]], dtype=torch.double), plan)
    torch.testing.assert_close(found.relevance, torch.tensor([[0.2, 1.8, 0.8, 7.2]], dtype=torch.double))
