"""Squared distances and soft maxima: as models write them, against Taylor terms at explicit roots, and what is refused."""

import copy
import pickle

import pytest
import torch
from torch import nn

import dtd
from dtd.primitive import LogSumExp, SquaredDistance

CENTRES = torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]], dtype=torch.double)


class Call(nn.Module):
    """A function of the input and of constant centres."""

    def __init__(self, function, centres=CENTRES):
        super().__init__()
        self.function = function
        self.register_buffer("centres", centres)

    def forward(self, x):
        return self.function(x, self.centres)


def rand(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)


def written(x, c):
    return ((x.unsqueeze(-2) - c) ** 2).sum(-1)


WAYS = {
    "power": written,
    "square": lambda x, c: (x[..., None, :] - c).square().sum(dim=-1),
    "cdist": lambda x, c: torch.cdist(x, c).square(),
}


def kinds(network):
    return [layer.kind for layer in network.layers]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3)])
@pytest.mark.parametrize("count", [1, 2])
def test_squared_distances_are_read_as_models_write_them(way, shape, count):
    x, centres = rand(*shape), CENTRES[:count]
    network = dtd.trace(Call(WAYS[way], centres), x)
    assert kinds(network)[0] == "squared_distance" and "shift" not in kinds(network)
    out = dtd.explain(network, x, torch.ones(*shape[:-1], count).double(), dtd.Plan([]))
    torch.testing.assert_close(out.output, written(x, centres))
    y = written(x, centres)
    torch.testing.assert_close(out.relevance, ((x.unsqueeze(-2) - centres) ** 2 / y[..., None]).sum(-2))


NOT_DISTANCES = {
    "another power": lambda x, c: ((x.unsqueeze(-2) - c) ** 4).sum(-1),
    "another axis": lambda x, c: ((x.unsqueeze(-2) - c) ** 2).sum(-2),
    "scaled before": lambda x, c: ((2 * x.unsqueeze(-2) - c) ** 2).sum(-1),
    "no centres": lambda x, c: (x.unsqueeze(-2) ** 2).sum(-1),
    "kept axis": lambda x, c: ((x.unsqueeze(-2) - c) ** 2).sum(-1, keepdim=True),
}


@pytest.mark.parametrize("way", NOT_DISTANCES)
def test_what_only_looks_alike_stays_what_it_is(way):
    x = rand(4, 3)
    network = dtd.trace(Call(NOT_DISTANCES[way]), x)
    assert "squared_distance" not in kinds(network)


def test_the_written_layers_hand_down_what_the_distance_does():
    """Shift, square and sum under their defaults are the same rule: the layers that stand where axes are kept."""
    x = rand(4, 3)
    relevance = rand(4, 2)
    one = dtd.trace(Call(written), x)
    many = dtd.trace(Call(lambda x, c: ((x.unsqueeze(-2) - c) ** 2).sum(-1, keepdim=True).squeeze(-1)), x)
    assert len(many.layers) > len(one.layers)
    found = [dtd.explain(n, x, relevance, dtd.Plan([])).relevance for n in (one, many)]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("radius", [0.0, 0.5, 4.0, torch.tensor([1.0, 2.5], dtype=torch.double)])
@pytest.mark.parametrize("order", [1, 2])
def test_the_terms_are_those_of_taylor_at_the_sphere(radius, order):
    x, r = rand(5, 3), torch.as_tensor(radius, dtype=torch.double).expand(2)
    plan = dtd.Plan([(dtd.where.kind("squared_distance"), dtd.SphereRoot(radius, order))])
    network = dtd.trace(Call(written), x)
    arrived = rand(5, 2).flip(0)
    out = dtd.explain(network, x, arrived, plan)
    expected, left = torch.zeros_like(x), torch.zeros(5, dtype=torch.double)
    for b in range(5):
        for k in range(2):
            u = CENTRES[k]

            def model(a, u=u, k=k, b=b):
                return arrived[b, k] * ((a - u).square().sum() - r[k] ** 2) / ((x[b] - u).square().sum() - r[k] ** 2)

            root = u + r[k] / (x[b] - u).norm() * (x[b] - u)
            assert model(root).abs() < 1e-12
            step = x[b] - root
            first = torch.autograd.functional.jacobian(model, root) * step
            second = 0.5 * step * (torch.autograd.functional.hessian(model, root) @ step)
            terms = first + second if order == 2 else first
            expected[b] += terms
            left[b] += arrived[b, k] - terms.sum()
    torch.testing.assert_close(out.relevance, expected)
    balance = out.layers["squared_distance"].balance
    torch.testing.assert_close(balance.remainder, left, atol=1e-12, rtol=1e-10)
    assert balance.zeroth.abs().max() == 0 and balance.gap.abs().max() < 1e-12
    rows = dtd.audit(network, x, arrived, plan)
    assert rows.valid.item() == 1 and rows.remainder.item() == pytest.approx(left.sum().item(), abs=1e-10)


def test_hand_computed_for_one_centre_and_for_two():
    x = torch.tensor([[3.0, 1.0]], dtype=torch.double)
    one = Call(written, torch.tensor([[1.0, 0.0]], dtype=torch.double))
    assert dtd.explain(dtd.trace(one, x), x, 0, dtd.Plan([])).relevance.tolist() == [[4.0, 1.0]]
    two = Call(lambda x, c: written(x, c).sum(-1, keepdim=True), torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.double))
    assert dtd.explain(dtd.trace(two, x), x, 0, dtd.Plan([])).relevance.tolist() == [[13.0, 5.0]]  # 4 + 9, 1 + 4


def test_at_its_centre_a_point_has_no_direction():
    network = dtd.trace(Call(written), CENTRES)
    out = dtd.explain(network, CENTRES[:1], torch.ones(1, 2).double(), dtd.Plan([]))
    balance = out.layers["squared_distance"].balance
    assert balance.zeroth.item() == 1 and balance.first.item() == pytest.approx(1)
    rows = dtd.audit(network, CENTRES[:1], torch.ones(1, 2).double(), dtd.Plan([]))
    assert rows.no_root.item() == 0.5 and rows.valid.item() == 0.5


def test_a_sphere_beyond_the_domain_is_no_valid_root():
    x = torch.tensor([[0.5, 0.5, 0.5]], dtype=torch.double)
    network = dtd.trace(Call(written, torch.zeros(1, 3).double()), x, dtd.Box(0.0, 1.0))
    for radius, valid in ((0.2, 1), (5.0, 0)):
        plan = dtd.Plan([(dtd.where.kind("squared_distance"), dtd.SphereRoot(radius))])
        rows = dtd.audit(network, x, 0, plan)
        assert rows.valid.item() == valid and rows.domain_left.item() == 1 - valid
        assert rows.distance.item() == pytest.approx(abs(radius - 0.75**0.5))


def test_the_root_of_a_union_of_balls_is_its_nearest_point():
    """A one-class score ``min_k ‖x − u_k‖² − r²``: the winner's sphere holds the nearest point at which the score is 0."""
    centres = torch.tensor([[0.0, 0.0], [1.0, 0.5], [-1.0, 1.5]], dtype=torch.double)
    score = lambda x, u=centres: (written(x, u) - 0.64).amin(-1, keepdim=True)  # noqa: E731
    turn = torch.linspace(0, 2 * torch.pi, 20001, dtype=torch.double)[:, None]
    circle = centres[:, None] + 0.8 * torch.cat([turn.cos(), turn.sin()], 1)
    boundary = circle.flatten(0, 1)[score(circle.flatten(0, 1))[:, 0] > -1e-9]
    plan = dtd.Plan([(dtd.where.kind("squared_distance"), dtd.SphereRoot(0.8))])
    for x in torch.tensor([[3.0, 1.0], [-2.0, -1.0], [0.4, 2.4]], dtype=torch.double)[:, None]:
        network = dtd.trace(Call(lambda a, u: score(a, u), centres), x)
        rows = dtd.audit(network, x, 0, plan).set_index("kind").loc["squared_distance"]
        assert rows.units == 1 and rows.valid == 1
        assert rows.distance == pytest.approx(torch.cdist(x, boundary).min().item(), abs=1e-6)


@pytest.mark.parametrize(("axis", "keep"), [(1, False), (2, True), (-1, False), ((1, 2), True)])
@pytest.mark.parametrize("beta", [1.0, -3.0])
def test_soft_maxima_are_first_order_terms_at_their_root(axis, keep, beta):
    x = rand(3, 4, 2)
    function = lambda a, _: torch.logsumexp(beta * a, axis, keepdim=keep) / beta  # noqa: E731
    network = dtd.trace(Call(function), x)
    relevance = rand(*function(x, None).shape).flip(0)
    out = dtd.explain(network, x, relevance, dtd.Plan([]))
    torch.testing.assert_close(out.output, function(x, None))
    wide = torch.logsumexp(beta * x, axis, keepdim=True) / beta
    root = (x - wide).requires_grad_()
    value = torch.logsumexp(beta * root, axis, keepdim=True) / beta
    assert value.abs().max() < 1e-12
    (gradient,) = torch.autograd.grad((value * relevance.reshape(wide.shape) / wide).sum(), root)
    torch.testing.assert_close(out.relevance, gradient * (x - root.detach()))
    assert all(record.balance.gap.abs().max() < 1e-12 for record in out.layers.values())
    rows = dtd.audit(network, x, relevance, dtd.Plan([]))
    assert (rows.valid[rows.kind == "log_sum_exp"] == 1).all()


def test_a_stiff_soft_minimum_is_the_hard_one():
    x = rand(6, 5)
    relevance = torch.ones(6, 1).double()
    hard = dtd.trace(Call(lambda a, _: a.amin(-1, keepdim=True)), x)
    expected = dtd.explain(hard, x, relevance, dtd.Plan([])).relevance
    gaps = []
    for beta in (1.0, 10.0, 1000.0):
        soft = dtd.trace(Call(lambda a, _, b=beta: -torch.logsumexp(-b * a, -1, keepdim=True) / b), x)
        gaps.append((dtd.explain(soft, x, relevance, dtd.Plan([])).relevance - expected).abs().max().item())
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-6


@pytest.mark.parametrize(
    ("domain", "low", "high"),
    [
        (dtd.Box(0.0, 1.0), [2.0, 5.0], [6.0, 14.0]),
        (dtd.NonNegative(), [0.0], [float("inf")]),
        (dtd.Real(), [0.0], [float("inf")]),
    ],
)
def test_images_of_distances(domain, low, high):
    """Centres (1, 0, 2) and (0, 3, -1): nearest corners at 0 + 0 + 1 and 0 + 4 + 1, farthest at 1 + 1 + 4 and 1 + 9 + 4."""
    found = SquaredDistance(CENTRES).image(domain)
    if isinstance(domain, dtd.Box):
        low = [1.0, 5.0]
    bounds = [torch.as_tensor(b, dtype=torch.double).flatten().tolist() for b in found.bounds()]
    assert bounds == [low, high]


def test_images_hold_the_outputs():
    box = dtd.Box(torch.tensor([[-1.0, 0.0, 2.0]]).double(), torch.tensor([[1.0, 0.5, 2.0]]).double())
    a = torch.rand(1000, 3, dtype=torch.double) * (box.high - box.low) + box.low
    image = SquaredDistance(CENTRES).image(box)
    assert bool(image.contains(SquaredDistance(CENTRES)(a)).all())
    pooled = LogSumExp(-1, 3).image(dtd.Box(-1.0, 2.0))
    assert bool(pooled.contains(LogSumExp(-1, 3)(a)).all())
    assert pooled.bounds() == pytest.approx((-1 + 1.0986122886681098, 2 + 1.0986122886681098))
    assert isinstance(LogSumExp(-1, 3).image(dtd.NonNegative()), dtd.NonNegative)


def test_what_is_refused():
    x = rand(2, 3)
    with pytest.raises(dtd.InputError, match="radius.*>= 0"):
        dtd.SphereRoot(-1.0)
    with pytest.raises(dtd.InputError, match="radius.*each centre"):
        dtd.SphereRoot(torch.tensor([1.0, -1.0]))
    with pytest.raises(dtd.InputError, match="order.*1 or 2"):
        dtd.SphereRoot(order=3)
    network = dtd.trace(Call(written), x)
    plan = dtd.Plan([(dtd.where.kind("squared_distance"), dtd.SphereRoot(torch.ones(3)))])
    with pytest.raises(dtd.InputError, match="radius.*shape .2,. at 'squared_distance'"):
        dtd.explain(network, x, 0, plan)
    with pytest.raises(dtd.PlanError, match="not defined"):
        dtd.explain(network, x, 0, dtd.Plan([(dtd.where.kind("squared_distance"), dtd.TakeMost())]))
    with pytest.raises(dtd.UnsupportedOp, match="p = 2"):
        dtd.trace(Call(lambda a, c: torch.cdist(a, c, p=1.0)), x)
    with pytest.raises(dtd.UnsupportedOp, match="constant centres"):
        dtd.trace(Call(lambda a, c: torch.cdist(a.unsqueeze(1), 2 * a.unsqueeze(1))), x)


def test_layers_are_selected_by_their_module():
    network, x = dtd.trace(nn.Sequential(Call(written)), rand(2, 3)), rand(2, 3)
    plan = dtd.Plan([(dtd.where.path("0"), dtd.SphereRoot(1.0, 1))])
    assert plan.bind(network) == (plan.entries[0].model,) and repr(dtd.where.path("0")) == "path('0')"
    with pytest.raises(dtd.PlanError, match="match no layer"):
        dtd.explain(network, x, 0, dtd.Plan([(dtd.where.path("1.*"), dtd.SphereRoot())]))
    with pytest.raises(dtd.PlanError, match="path.glob."):
        dtd.where.path(3)


def test_rules_print_copy_and_pickle():
    for rule in (dtd.SphereRoot(2.0, order=1), dtd.TakeMost()):
        assert repr(rule) == repr(copy.deepcopy(rule)) == repr(pickle.loads(pickle.dumps(rule)))
    assert repr(dtd.SphereRoot(2.0, order=1)) == "SphereRoot(radius=2, order=1)"
    plan = dtd.Plan([(dtd.where.kind("squared_distance"), dtd.SphereRoot())])
    network, x = dtd.trace(Call(written), rand(2, 3)), rand(2, 3)
    assert torch.equal(dtd.explain(network, x, 0, plan).relevance, dtd.explain(network, x, 0, plan.explicit()).relevance)
