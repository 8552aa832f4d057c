"""The generic Taylor model against the fused rules, brute-force autograd, its own remainder's order, and by hand."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import dtd
from tests.cases import make_case

SIGNS = dict.fromkeys(("weight", "bias", "input", "relevance"), "mixed")


class Bump(nn.Module):
    """A layer that no rule is written for: sines and Gaussian bumps, with parameters."""

    def __init__(self, inputs=4, outputs=3):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(outputs, inputs))

    def forward(self, x):
        return torch.sin(x @ self.centres.T) + torch.exp(-(x[:, None] - self.centres).square().sum(-1)) - 0.2


class Pair(nn.Module):
    """Two activations into one."""

    def forward(self, x, y):
        return torch.cumsum(x, 1) * torch.exp(y) / (1 + y.square())


class Net(nn.Module):
    """An odd layer in the middle, used twice, and one with two inputs."""

    def __init__(self):
        super().__init__()
        self.low, self.odd, self.pair, self.high = nn.Linear(4, 4), Bump(4, 4), Pair(), nn.Linear(4, 2)

    def forward(self, x):
        h = self.low(x).relu()
        return self.high(self.pair(self.odd(self.odd(h)), h))


def seeded(make, *shape):
    torch.manual_seed(0)
    return make().double().eval(), torch.rand(*shape, dtype=torch.double)


def same(y):
    return y


def one_layer(model, layer, inputs, relevance):
    saved = model.forward(layer, inputs)[1]
    return model.backward(layer, saved, relevance)


@pytest.mark.parametrize("name", ["linear", "conv2d_stride_dilation", "conv_transpose1d", "avg_pool2d_ceil", "batch_norm2d"])
def test_on_an_affine_layer_it_is_the_ray_to_the_reference(name):
    case = make_case(name, "real", 2, SIGNS, 4)
    reference = 0.1 * torch.ones(1, *case.network.shape, dtype=torch.double)
    ray = dtd.Linear(dtd.Ray(dtd.Toward(reference)))
    layer = case.layer
    with torch.no_grad():
        found = one_layer(dtd.Generic(reference), layer, (case.x,), case.relevance)
        z, far = layer.op.apply(case.x), layer.op.apply(reference)
        on_segment = z * far <= 0
        expected = one_layer(ray, layer, (case.x,), case.relevance * on_segment)
        torch.testing.assert_close(found.relevance[0], expected.relevance[0], rtol=1e-9, atol=1e-9)
        kept = (case.relevance * ~on_segment).flatten(1).sum(1)
        torch.testing.assert_close(found.balance.zeroth, kept, rtol=1e-9, atol=1e-9)
        there = one_layer(dtd.Generic(reference, at="reference"), layer, (case.x,), case.relevance)
        point = one_layer(dtd.Linear(dtd.Reference(reference)), layer, (case.x,), case.relevance)
    torch.testing.assert_close(there.relevance[0], point.relevance[0], rtol=1e-9, atol=1e-9)
    for part in ("first", "bias", "zeroth", "remainder"):
        torch.testing.assert_close(getattr(there.balance, part), getattr(point.balance, part), rtol=1e-8, atol=1e-8)


def brute_force(f, a, relevance, reference):
    """Each unit by itself: the root by numpy's sign changes and bisection, the gradient by autograd."""
    lower, zeroth = torch.zeros_like(a), 0.0
    y = f(a[None])[0]
    for k in range(len(y)):

        def value(t, k=k):
            return (f((a - t * (a - reference))[None])[0, k] / y[k]).item()

        grid = np.linspace(0, 1, 17)
        ends = [i for i in range(1, 17) if value(grid[i]) <= 0]
        if not ends:
            zeroth += relevance[k].item()
            continue
        low, high = grid[ends[0] - 1], grid[ends[0]]
        while high - low > 1e-13:
            middle = (low + high) / 2
            low, high = (low, middle) if value(middle) <= 0 else (middle, high)
        root = (a - low * (a - reference)).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(relevance[k] * f(root[None])[0, k] / y[k].detach(), root)
        lower += gradient * (a - root.detach())
        zeroth += relevance[k].item() * value(low)
    return lower, zeroth, (relevance.sum() - lower.sum()).item() - zeroth


@pytest.mark.parametrize("reference", [0.0, -0.8])
def test_it_is_brute_force_taylor_at_the_first_root(reference):
    model, x = seeded(Bump, 3, 4)
    network = dtd.trace(model, x, opaque=[Bump])
    out = dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic(reference))]))
    (record,) = out.layers.values()
    found = [brute_force(model, a, r, reference) for a, r in zip(x, out.initial, strict=True)]
    torch.testing.assert_close(out.relevance, torch.stack([f[0] for f in found]).detach(), rtol=1e-7, atol=1e-8)
    assert record.balance.zeroth.tolist() == pytest.approx([f[1] for f in found], abs=1e-8)
    assert record.balance.remainder.tolist() == pytest.approx([f[2] for f in found], abs=1e-7)
    assert record.balance.remainder.abs().max() > 1e-3  # it is curved


def remainders(layer, x, steps, **options):
    network = dtd.trace(layer, x, opaque=["*"])
    out = {}
    for n in steps:
        plan = dtd.Plan([(dtd.where.every, dtd.Generic(0.3, steps=n, **options))])
        (record,) = dtd.explain(network, x, same, plan).layers.values()
        out[n] = record.balance.remainder.abs().sum().item()
    return out


@pytest.mark.parametrize("at", ["root", "reference"])
@pytest.mark.parametrize("order", [1, 2])
def test_the_remainder_falls_with_the_order_of_the_steps(order, at):
    model, x = seeded(Bump, 3, 4)
    found = remainders(model, x, [16, 32, 64, 128], order=order, at=at)
    slope = np.polyfit(np.log(list(found)), np.log(list(found.values())), 1)[0]
    assert slope == pytest.approx(-order, abs=0.15)


def test_many_steps_are_the_path_integral():
    """Integrated gradients from the reference (Sundararajan 2017), by Gauss quadrature."""
    model, x = seeded(Bump, 2, 4)
    network = dtd.trace(model, x, opaque=[Bump])
    plan = dtd.Plan([(dtd.where.every, dtd.Generic(0.3, at="reference", steps=512, order=2))])
    found = dtd.explain(network, x, same, plan).relevance
    nodes, weights = np.polynomial.legendre.leggauss(40)
    expected = torch.zeros_like(x)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        point = (0.3 + node * (x - 0.3)).requires_grad_()
        (gradient,) = torch.autograd.grad(model(point).sum(), point)
        expected += weight * gradient * (x - 0.3)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_at_a_kink_the_side_of_the_data_counts():
    model, x = seeded(lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU()), 3, 4)
    whole = dtd.trace(model, x, opaque=[nn.Sequential])
    parts = dtd.trace(model, x)
    generic = dtd.explain(whole, x, same, dtd.Plan([(dtd.where.every, dtd.Generic(-1.0))]))
    ray = dtd.Plan([(dtd.where.every, dtd.Ray(dtd.Toward(-1.0)))])
    z = model[0](x)
    active = (z > 0) & (model[0](torch.full_like(x, -1.0)) <= 0)
    relevance = torch.where(active, 1.0, 0.0).double()
    generic, expected = (dtd.explain(n, x, relevance, p).relevance for n, p in ((whole, generic_plan()), (parts, ray)))
    assert bool(active.any()) and not bool(active.all())
    torch.testing.assert_close(generic, expected, rtol=1e-9, atol=1e-10)


def generic_plan():
    return dtd.Plan([(dtd.where.every, dtd.Generic(-1.0))])


def test_opaque_modules_keep_the_model_and_its_parameters_live():
    model, x = seeded(Net, 5, 4)
    before = copy.deepcopy(model.state_dict())
    network = dtd.trace(model, x, opaque=[Bump, "pa*"])
    assert [layer.name for layer in network.layers if layer.kind == "opaque"] == ["odd", "odd@2", "pair"]
    plan = dtd.Plan([(dtd.where.kind("opaque"), dtd.Generic(0.1, brackets=4)), (dtd.where.every, dtd.rules.choose("lrp0"))])
    out = dtd.explain(network, x, 1, plan)
    torch.testing.assert_close(out.output, model(x).detach())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    kept = sum(getattr(r.balance, p) for r in out.layers.values() for p in ("bias", "zeroth", "remainder"))
    torch.testing.assert_close(out.relevance.sum(1) + kept, out.initial.sum(1), rtol=1e-9, atol=1e-9)
    with torch.no_grad():
        model.odd.centres.mul_(-0.5)
    torch.testing.assert_close(dtd.explain(network, x, 1, plan).output, model(x).detach())


def test_chunks_change_nothing():
    model, x = seeded(Bump, 3, 4)
    network = dtd.trace(model, x, opaque=[Bump])
    found = [
        dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic(memory=m))])).relevance for m in (2**28, 3000)
    ]
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)
    with pytest.raises(dtd.BudgetError, match="One unit of layer 'opaque' needs about 2,016 bytes"):
        dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic(memory=1000))]))


class Squares(nn.Module):
    def forward(self, x):
        return x.square().sum(1, keepdim=True) + 1


def test_where_no_unit_vanishes_everything_stays_in_the_zeroth_term():
    x = torch.rand(2, 3, dtype=torch.double)
    network = dtd.trace(Squares(), x, opaque=[Squares])
    out = dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic())]))
    (record,) = out.layers.values()
    assert out.relevance.abs().max() == 0 and torch.equal(record.balance.zeroth, record.balance.relevance)
    second = dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic(at="reference", order=2))]))
    torch.testing.assert_close(second.relevance, x.square())  # half the Hessian, shared out along the path
    (record,) = second.layers.values()
    assert record.balance.remainder.abs().max() < 1e-12 and record.balance.zeroth.tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"at": "origin"}, "'at' must be 'root' or 'reference'"),
        ({"steps": 0}, "'steps' must be an integer >= 1"),
        ({"order": 3}, "'order' must be 1 or 2"),
        ({"brackets": 0}, "'brackets' must be an integer >= 1"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(dtd.InputError, match=match):
        dtd.Generic(**options)


class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


class Two(nn.Module):
    def forward(self, x):
        return x.exp(), x.sin()


class Odd(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).real


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.two = Two()

    def forward(self, x):
        a, b = self.two(x)
        return a + b


def test_what_cannot_be_opaque():
    x = torch.rand(2, 3)
    with pytest.raises(dtd.InputError, match="it has none like 'Bump'"):
        dtd.trace(nn.Linear(3, 3), x, opaque=[Bump])
    with pytest.raises(dtd.UnsupportedOp, match="draws random numbers"):
        dtd.trace(Noisy(), x, opaque=[Noisy])
    with pytest.raises(dtd.UnsupportedOp, match="must return one tensor; 'two' returns 2 values"):
        dtd.trace(Sum(), x, opaque=[Two])
    with pytest.raises(dtd.UnsupportedOp, match="opaque="):
        dtd.trace(nn.Sequential(Odd()), x)
    network = dtd.trace(Squares(), x, opaque=[Squares])
    with pytest.raises(dtd.PlanError, match="No entry of the plan speaks for opaque"):
        dtd.explain(network, x, same, dtd.Plan([]))
    with pytest.raises(dtd.InputError, match="'reference' must be one for each input of 'opaque'"):
        dtd.explain(network, x, same, dtd.Plan([(dtd.where.every, dtd.Generic((0.0, 1.0)))]))
    with pytest.raises(dtd.PlanError, match="not defined for layer 'opaque'"):
        dtd.explain(network, x, same, dtd.Plan.uniform("lrp0"))


class Square(nn.Module):
    """``a² − 1``, entry by entry."""

    def forward(self, a):
        return a**2 - 1


@pytest.mark.parametrize("options", [{}, {"memory": 10**6}, {"fast": False}], ids=["prepared", "in parts", "plain"])
@pytest.mark.parametrize("at", ["root", "reference"])
def test_a_reference_of_another_width_is_refused_before_work(at, options):
    torch.manual_seed(0)
    x = torch.rand(5, 3)
    behind = dtd.trace(nn.Sequential(nn.Linear(3, 4), Square()), x, opaque=[Square])
    front = dtd.trace(nn.Sequential(Square(), nn.Linear(3, 4)), x, opaque=[Square])
    for network, shape, wrong in ((behind, "4", torch.zeros(1, 3)), (front, "3", torch.zeros(1, 4))):
        odd, right = dtd.where.kind("opaque"), torch.zeros(1, int(shape))
        model, other = dtd.Generic(wrong, at=at), (dtd.where.every, dtd.rules.choose("lrp0"))
        message = rf"'reference' at layer '.' must be a number or broadcast to \(\d, {shape}\).* found shape \(1, "
        with pytest.raises(dtd.DomainError, match=message):
            dtd.explain(network, x, 0, dtd.Plan([(odd, model), other]), **options)
        found = [
            dtd.explain(network, x, 0, dtd.Plan([(odd, dtd.Generic(zero, at=at)), other]), **options).relevance
            for zero in (right, 0.0)
        ]
        assert torch.equal(*found)


def test_audit_rows():
    model, x = seeded(Net, 5, 4)
    network = dtd.trace(model, x, opaque=[Bump, Pair])
    plan = dtd.Plan([(dtd.where.kind("opaque"), dtd.Generic(0.1)), (dtd.where.every, dtd.rules.choose("lrp0"))])
    rows = dtd.audit(network, x, 1, plan).set_index("layer")
    out = dtd.explain(network, x, 1, plan)
    for name in ("odd", "odd@2", "pair"):
        row, balance = rows.loc[name], out.layers[name].balance
        assert row.model == "Generic"
        assert row[["valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"]].sum() == pytest.approx(1.0)
        for part in ("relevance", "first", "zeroth", "remainder"):
            assert row[part] == pytest.approx(getattr(balance, part).sum().item(), rel=1e-8, abs=1e-8)
        assert row.gap < 1e-9
    assert rows.loc["odd"].no_root > 0 and rows.loc["odd"].valid > 0
