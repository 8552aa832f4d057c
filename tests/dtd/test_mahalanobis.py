"""Mahalanobis distances: as models write them, against Taylor terms at the ellipsoid, by hand, and their domains."""

import copy
import pickle

import pytest
import torch
from torch import nn

import dtd
from dtd.primitive import MahalanobisDistance, SquaredDistance
from dtd.relevance.default import default

CENTRES = torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]], dtype=torch.double)
RANDOM = torch.Generator().manual_seed(2)
FULL = torch.randn(2, 3, 3, generator=RANDOM, dtype=torch.double)
WIDE = torch.randn(2, 3, 4, generator=RANDOM, dtype=torch.double)
DIAGONAL = torch.rand(2, 3, generator=RANDOM, dtype=torch.double) + 0.5


class Call(nn.Module):
    """A function of the input, of constant centres and of constant factors."""

    def __init__(self, function, factors, centres=CENTRES):
        super().__init__()
        self.function = function
        self.register_buffer("centres", centres)
        self.register_buffer("factors", factors)

    def forward(self, x):
        return self.function(x, self.centres, self.factors)


def rand(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)


def as_row(x, u, f):
    return ((x.unsqueeze(-2) - u).unsqueeze(-2) @ f).squeeze(-2).square().sum(-1)


def as_column(x, u, f):
    return ((f.mT @ (x.unsqueeze(-2) - u).unsqueeze(-1)).squeeze(-1) ** 2).sum(-1)


def scaled(x, u, f):
    return ((x.unsqueeze(-2) - u) * f).square().sum(-1)


def shared(x, u, f):
    return ((x.unsqueeze(-2) - u) @ f).square().sum(-1)


WAYS = {
    "rows": (as_row, FULL),
    "columns": (as_column, FULL),
    "more directions than columns": (as_row, WIDE),
    "fewer directions than columns": (as_row, FULL[..., :2]),
    "one matrix for all": (as_row, FULL[:1]),
    "one matrix": (shared, FULL[0]),
    "scaled": (scaled, DIAGONAL),
    "scaled alike": (scaled, DIAGONAL[0]),
    "scaled by a number for each centre": (scaled, DIAGONAL[:, :1]),
}


def metric(factors):
    """``M_k = L_k L_kᵀ``. # shape: (K, J, J)"""
    if factors.ndim == 3:
        return (factors @ factors.mT).expand(2, 3, 3)
    if factors.shape == (3, 3):
        return (factors @ factors.T).expand(2, 3, 3)
    return torch.diag_embed(factors.expand(2, 3).square())


def shares(x, factors):
    """``d_j (M d)_j / dᵀ M d`` for each centre, by definition. # shape: (B, J) -> (B, K, J)"""
    apart = x[:, None] - CENTRES
    parts = apart * torch.einsum("kij,bkj->bki", metric(factors), apart)
    return parts / parts.sum(-1, keepdim=True)


@pytest.mark.parametrize("way", WAYS)
def test_they_are_read_as_models_write_them(way):
    function, factors = WAYS[way]
    x = rand(5, 3)
    network = dtd.trace(Call(function, factors), x)
    (layer,) = network.layers
    assert layer.kind == "mahalanobis_distance" and isinstance(layer.op, MahalanobisDistance)
    arrived = rand(5, 2).flip(0)
    out = dtd.explain(network, x, arrived, dtd.Plan([]))
    torch.testing.assert_close(out.output, function(x, CENTRES, factors))
    torch.testing.assert_close(out.relevance, (arrived[..., None] * shares(x, factors)).sum(1))


def test_sequences_of_rows_are_read_too():
    x = rand(4, 6, 3)
    network = dtd.trace(Call(scaled, DIAGONAL), x)
    assert [layer.kind for layer in network.layers] == ["mahalanobis_distance"]
    out = dtd.explain(network, x, torch.ones(4, 6, 2).double(), dtd.Plan([]))
    torch.testing.assert_close(out.relevance, shares(x.flatten(0, 1), DIAGONAL).sum(1).view(4, 6, 3))


class Behind(nn.Module):
    """Differences behind a linear layer of torch, which plans may name."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3, bias=False).double()

    def forward(self, x):
        return self.linear(x.unsqueeze(-2) - CENTRES).square().sum(-1)


NOT_DISTANCES = {
    "another power": lambda x, u, f: (((x.unsqueeze(-2) - u).unsqueeze(-2) @ f).squeeze(-2) ** 4).sum(-1),
    "moved after the map": lambda x, u, f: (((x.unsqueeze(-2) - u) * f[..., 0]) + 1).square().sum(-1),
    "mapped before the differences": lambda x, u, f: ((x @ f[0]).unsqueeze(-2) * 2 - u).square().sum(-1),
    "another axis": lambda x, u, f: ((x.unsqueeze(-2) - u).unsqueeze(-2) @ f).squeeze(-2).square().sum(-2),
}


@pytest.mark.parametrize("way", NOT_DISTANCES)
def test_what_only_looks_alike_stays_what_it_is(way):
    x = rand(4, 3)
    network = dtd.trace(Call(NOT_DISTANCES[way], FULL), x)
    assert "mahalanobis_distance" not in {layer.kind for layer in network.layers}
    out = dtd.explain(network, x, lambda y: y, dtd.presets.neuralised())
    torch.testing.assert_close(out.output, NOT_DISTANCES[way](x, CENTRES, FULL))


def test_a_linear_layer_of_torch_stays_a_layer_and_hands_down_the_same():
    module, x = Behind(), rand(4, 3)
    network = dtd.trace(module, x)
    assert "linear" in {layer.name for layer in network.layers}
    relevance = rand(4, 2)
    out = dtd.explain(network, x, relevance, dtd.Plan.uniform("lrp0"))
    factors = module.linear.weight.detach().T
    torch.testing.assert_close(out.relevance, (relevance[..., None] * shares(x, factors)).sum(1))


@pytest.mark.parametrize("radius", [0.0, 0.5, 4.0, torch.tensor([1.0, 2.5], dtype=torch.double)])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("factors", [FULL, WIDE, DIAGONAL], ids=["full", "wide", "diagonal"])
def test_the_terms_are_those_of_taylor_at_the_ellipsoid(radius, order, factors):
    x, r = rand(4, 3), torch.as_tensor(radius, dtype=torch.double).expand(2)
    plan = dtd.Plan([(dtd.where.kind("mahalanobis_distance"), dtd.SphereRoot(radius, order))])
    network = dtd.trace(Call(scaled if factors.ndim == 2 else as_row, factors), x)
    arrived = rand(4, 2).flip(0)
    out = dtd.explain(network, x, arrived, plan)
    expected, left, ways = torch.zeros_like(x), torch.zeros(4, dtype=torch.double), []
    for b in range(4):
        for k in range(2):
            u, m = CENTRES[k], metric(factors)[k]

            def model(a, u=u, m=m, k=k, b=b):
                return arrived[b, k] * ((a - u) @ m @ (a - u) - r[k] ** 2) / ((x[b] - u) @ m @ (x[b] - u) - r[k] ** 2)

            root = u + r[k] / ((x[b] - u) @ m @ (x[b] - u)).sqrt() * (x[b] - u)
            assert model(root).abs() < 1e-12
            step = x[b] - root
            first = torch.autograd.functional.jacobian(model, root) * step
            second = 0.5 * step * (torch.autograd.functional.hessian(model, root) @ step)
            terms = first + second if order == 2 else first
            expected[b] += terms
            left[b] += arrived[b, k] - terms.sum()
            ways.append(step.norm())
    torch.testing.assert_close(out.relevance, expected)
    balance = out.layers[network.layers[0].name].balance
    torch.testing.assert_close(balance.remainder, left, atol=1e-12, rtol=1e-10)
    assert balance.zeroth.abs().max() == 0 and balance.gap.abs().max() < 1e-12
    rows = dtd.audit(network, x, arrived, plan)
    assert rows.valid.item() == 1 and rows.remainder.item() == pytest.approx(left.sum().item(), abs=1e-10)
    lowest, highest = torch.stack(ways).sort().values[len(ways) // 2 - 1 : len(ways) // 2 + 1].tolist()
    assert lowest - 1e-12 <= rows.distance.item() <= highest + 1e-12


def test_hand_computed_for_one_centre_and_for_two():
    """``d = (2, 1)`` and ``M = (2, 1; 1, 1)``: ``M d = (5, 3)``, so 10 and 3 of 13; with factors (1, 3): 4 and 9.

    To the second centre, (0, 3) with factors (2, 1): ``d = (3, -2)``, so 36 and 4 of 40.
    """
    x = torch.tensor([[3.0, 1.0]], dtype=torch.double)
    one = Call(as_row, torch.tensor([[[1.0, 1.0], [1.0, 0.0]]]).double(), torch.tensor([[1.0, 0.0]]).double())
    assert dtd.explain(dtd.trace(one, x), x, 0, dtd.Plan([])).relevance.tolist() == [[10.0, 3.0]]
    factors = torch.tensor([[1.0, 3.0], [2.0, 1.0]]).double()
    two = Call(scaled, factors, torch.tensor([[1.0, 0.0], [0.0, 3.0]]).double())
    found = dtd.explain(dtd.trace(two, x), x, torch.tensor([[13.0, 40.0]]).double(), dtd.Plan([])).relevance
    assert found.tolist() == [[4.0 + 36.0, 9.0 + 4.0]]


def test_a_factor_of_one_is_the_squared_distance():
    x, r = rand(4, 3), rand(4, 2)
    plain = dtd.trace(Call(lambda x, u, f: (x.unsqueeze(-2) - u).square().sum(-1), FULL), x)
    assert type(plain.layers[0].op) is SquaredDistance
    expected = dtd.explain(plain, x, r, dtd.Plan([])).relevance
    for function, factors in ((as_row, torch.eye(3).double().expand(2, 3, 3)), (scaled, torch.ones(2, 3).double())):
        network = dtd.trace(Call(function, factors), x)
        torch.testing.assert_close(dtd.explain(network, x, r, dtd.Plan([])).relevance, expected)


@pytest.mark.parametrize("factors", [FULL, WIDE, DIAGONAL], ids=["full", "wide", "diagonal"])
def test_images_hold_the_outputs_of_a_box(factors):
    op = MahalanobisDistance(CENTRES, factors)
    box = dtd.Box(torch.tensor([[-1.0, 0.0, 2.0]]).double(), torch.tensor([[1.0, 0.5, 2.0]]).double())
    a = torch.rand(2000, 3, dtype=torch.double) * (box.high - box.low) + box.low
    assert bool(op.image(box).contains(op(a), 1e-12).all())
    corners = torch.cartesian_prod(*(torch.tensor([lo, hi]) for lo, hi in zip(box.low[0], box.high[0], strict=True)))
    assert bool(op.image(box).contains(op(corners), 1e-12).all())
    for unbounded in (dtd.Real(), dtd.NonNegative()):
        assert op.image(unbounded) == dtd.NonNegative()


def test_images_of_scaled_differences_are_the_smallest_boxes():
    """Centre (1, 0, 2) with factors (1, 2, 3), on [0, 1]³: from 0 + 0 + 9 · 1 to 1 + 4 + 9 · 4."""
    op = MahalanobisDistance(CENTRES[:1], torch.tensor([[1.0, 2.0, 3.0]]).double())
    assert [bound.item() for bound in map(torch.as_tensor, op.image(dtd.Box(0.0, 1.0)).bounds())] == [9.0, 41.0]


def test_at_its_centre_a_point_has_no_direction():
    network, ones = dtd.trace(Call(as_row, FULL), CENTRES), torch.ones(1, 2).double()
    rows = dtd.audit(network, CENTRES[:1], ones, dtd.Plan([]))
    assert rows.no_root.item() == 0.5 and rows.valid.item() == 0.5 and rows.zeroth.item() == 1


def test_an_ellipsoid_beyond_the_domain_is_no_valid_root():
    x = torch.tensor([[0.5, 0.5, 0.5]], dtype=torch.double)
    module = Call(scaled, torch.tensor([[1.0, 2.0, 2.0]]).double(), torch.zeros(1, 3).double())  # y = 9/4, √y = 3/2
    network = dtd.trace(module, x, dtd.Box(0.0, 1.0))
    for radius, valid in ((0.75, 1), (6.0, 0)):
        rows = dtd.audit(network, x, 0, dtd.Plan([(dtd.where.kind("mahalanobis_distance"), dtd.SphereRoot(radius))]))
        assert rows.valid.item() == valid and rows.domain_left.item() == 1 - valid
        assert rows.distance.item() == pytest.approx(abs(radius / 1.5 - 1) * 0.75**0.5)


def test_rules_of_the_operation_and_what_is_refused():
    x = rand(2, 3)
    network = dtd.trace(Call(as_row, FULL), x)
    op = network.layers[0].op
    assert isinstance(default(op), dtd.SphereRoot)
    plan = dtd.Plan([(dtd.where.kind("mahalanobis_distance"), dtd.SphereRoot())])
    assert torch.equal(dtd.explain(network, x, 0, plan).relevance, dtd.explain(network, x, 0, plan.explicit()).relevance)
    with pytest.raises(dtd.InputError, match="radius.*shape .2,. at 'mahalanobis_distance'"):
        dtd.explain(network, x, 0, dtd.Plan([(dtd.where.kind("mahalanobis_distance"), dtd.SphereRoot(torch.ones(3)))]))
    with pytest.raises(dtd.PlanError, match="not defined"):
        dtd.explain(network, x, 0, dtd.Plan([(dtd.where.kind("mahalanobis_distance"), dtd.TakeMost())]))
    for other in (copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
        assert torch.equal(other(x), op(x)) and repr(other) == repr(op)
