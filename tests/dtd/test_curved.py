"""Products, softmax, layer norm and attention: against autograd at their roots, as a user traces them, and in plans."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd.primitive import LayerNorm, Product, Softmax


class Call(nn.Module):
    """A function of one or more parts of the input along its first axis of a sample."""

    def __init__(self, function, parts=1):
        super().__init__()
        self.function, self.parts = function, parts

    def forward(self, x):
        return self.function(*(x[:, i] for i in range(self.parts)))


class Attention(nn.Module):
    """One block: layer norm, two heads, a gated residual sum, RMS norm."""

    def __init__(self, causal=False):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(4, 4) for _ in range(3))
        self.norm, self.rms, self.head, self.causal = nn.LayerNorm(4), nn.RMSNorm(4), nn.Linear(4, 3), causal

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (f(h).unflatten(-1, (2, 2)).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).flatten(2)
        y = x + y * torch.sigmoid(x)
        y = self.rms(torch.softmax(y @ y.transpose(1, 2), -1) @ y)
        return self.head(y.mean(1))


def same(y):
    return y


def explained(function, x, parts=1, plan=(), **options):
    network = dtd.trace(Call(function, parts), x, **options)
    out = dtd.explain(
        network, x, torch.randn(function_shape(function, x, parts), generator=seeded()).double(), dtd.Plan(plan)
    )
    return network, out


def seeded():
    return torch.Generator().manual_seed(3)


def function_shape(function, x, parts):
    return function(*(x[:, i] for i in range(parts))).shape


def rand(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)


def only(network, kind):
    (layer,) = [layer for layer in network.layers if layer.kind == kind]
    return layer


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_a_product_is_a_mix_of_expansions_at_its_two_roots(share):
    x = rand(3, 2, 4)
    plan = [(dtd.where.kind("product"), dtd.ProductShares(share))]
    network, out = explained(torch.mul, x, 2, plan)
    expected = torch.zeros_like(x)
    for weight, frozen in ((share, 0), (1 - share, 1)):  # the factor that goes to 0
        root = x.clone()
        root[:, frozen] = 0.0
        root.requires_grad_()
        model = out.initial * root[:, 0] * root[:, 1] / (x[:, 0] * x[:, 1])
        (gradient,) = torch.autograd.grad(model.sum(), root)
        assert model.abs().max() == 0
        expected += weight * gradient * (x - root.detach())
    torch.testing.assert_close(out.relevance, expected)
    record = out.layers[only(network, "product").name]
    assert record.balance.zeroth.abs().max() == 0 and record.balance.gap.abs().max() < 1e-12


@pytest.mark.parametrize("share", [0.2])
def test_a_matrix_product_is_lrp0_on_products_that_are_shared_out(share):
    x = rand(2, 2, 3, 3)
    network, out = explained(torch.matmul, x, 2, [(dtd.where.kind("matmul"), dtd.MatMulShares(share))])
    a, b = x[:, 0], x[:, 1]
    products = a[:, :, :, None] * b[:, None]  # i, m, p
    share_of = products / products.sum(2, keepdim=True) * out.initial[:, :, None]
    torch.testing.assert_close(out.relevance[:, 0], share * share_of.sum(3))
    torch.testing.assert_close(out.relevance[:, 1], (1 - share) * share_of.sum(1))
    assert out.layers[only(network, "matmul").name].balance.gap.abs().max() < 1e-10


def test_damping_stays_in_the_zeroth_term():
    x = rand(2, 2, 3, 3)
    network, out = explained(torch.bmm, x, 2, [(dtd.where.kind("matmul"), dtd.MatMulShares(damping=0.5))])
    y = x[:, 0] @ x[:, 1]
    kept = out.initial * 0.5 / (y.abs() + 0.5)
    torch.testing.assert_close(out.layers[only(network, "matmul").name].balance.zeroth, kept.sum((1, 2)))
    zero, out = explained(torch.bmm, 0 * x, 2)
    balance = out.layers[only(zero, "matmul").name].balance
    assert out.relevance.abs().max() == 0 and torch.equal(balance.zeroth, balance.relevance)


@pytest.mark.parametrize("axis", [1, -1])
def test_softmax_is_its_tangents_at_the_data_point(axis):
    x = rand(2, 1, 3, 4)
    network, out = explained(lambda a: torch.softmax(a, axis), x)
    point = x[:, 0].clone().requires_grad_()
    s = torch.softmax(point, axis)
    (gradient,) = torch.autograd.grad((out.initial * s / s.detach()).sum(), point)
    torch.testing.assert_close(out.relevance[:, 0], gradient * x[:, 0])
    record = out.layers[only(network, "softmax").name]
    torch.testing.assert_close(record.balance.zeroth, (out.initial - gradient * x[:, 0]).sum((1, 2)))
    assert isinstance(record.layer.image, dtd.Box) and record.layer.image.bounds() == (0.0, 1.0)


@pytest.mark.parametrize("sizes", [(4,), (3, 4)])
def test_layer_norm_with_its_scale_held_is_lrp0_on_an_affine_layer(sizes):
    x, gain, shift = rand(2, 1, 3, 4), rand(*sizes), rand(*sizes).flip(-1)
    _, out = explained(lambda a: F.layer_norm(a, sizes, gain, shift), x)
    point, axes = x[:, 0].clone().requires_grad_(), tuple(range(-len(sizes), 0))
    sigma = (point.var(axes, unbiased=False, keepdim=True) + 1e-5).sqrt().detach()
    z = (point - point.mean(axes, keepdim=True)) / sigma * gain
    (gradient,) = torch.autograd.grad((out.initial * z / z.detach()).sum(), point)
    torch.testing.assert_close(out.relevance[:, 0], gradient * x[:, 0], rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(out.relevance.flatten(1).sum(1), out.initial.flatten(1).sum(1))
    passing = [(dtd.where.kind("layer_norm"), dtd.Identity())]
    passed = explained(lambda a: F.layer_norm(a, sizes, gain, shift), x, 1, passing)[1]
    assert torch.equal(passed.relevance[:, 0], passed.initial)


def test_an_input_at_the_mean_has_no_root_in_layer_norm():
    x = torch.tensor([[[1.0, 2.0, 3.0]]], dtype=torch.double)
    network, out = explained(lambda a: F.layer_norm(a, (3,)), x)
    record = out.layers[only(network, "layer_norm").name]
    assert record.balance.zeroth.item() == pytest.approx(out.initial[0, 1].item())
    assert record.balance.gap.abs().item() < 1e-12


def test_rms_norm_passes_relevance():
    x = rand(2, 1, 4).abs()
    network, out = explained(lambda a: F.rms_norm(a, (4,)), x, domain=dtd.NonNegative())
    assert torch.equal(out.relevance[:, 0], out.initial) and isinstance(only(network, "rms_norm").image, dtd.NonNegative)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_traced_balances_and_is_audited(causal):
    torch.manual_seed(0)
    model, x = Attention(causal).double().eval(), rand(2, 5, 4)
    network = dtd.trace(model, x)
    plan = dtd.Plan.uniform("zplus_signed")
    out = dtd.explain(network, x, 1, plan)
    torch.testing.assert_close(out.output, model(x).detach(), rtol=1e-12, atol=1e-12)
    scale = max(r.balance.relevance.abs().max().item() for r in out.layers.values())
    assert all(r.balance.gap.abs().max() < 1e-10 * scale for r in out.layers.values())
    rows = dtd.audit(network, x, 1, plan)
    curved = rows[rows.kind.isin(["matmul", "softmax", "product", "layer_norm"])]
    assert len(curved) == 8 and curved.valid.isna().all() and (curved.gap < 1e-8).all()
    assert rows.loc[rows.kind == "softmax", "zeroth"].abs().min() > 0


def test_a_mask_keeps_what_it_hides_from_getting_relevance():
    mask = torch.tensor([[True, True, False]] * 3)
    x = rand(2, 3, 3, 2)
    for given in (mask, torch.zeros(3, 3).masked_fill(~mask, -1e9).double()):
        function = lambda q, k, v, given=given: F.scaled_dot_product_attention(  # noqa: E731
            q[:, None], k[:, None], v[:, None], attn_mask=given
        )
        network, out = explained(function, x, 3)
        torch.testing.assert_close(out.output, function(*x.unbind(1)))
        assert out.relevance[:, 1:, 2].abs().max() < 1e-9
    assert isinstance(only(network, "softmax").op, Softmax)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (dtd.Box(-1.0, 2.0), dtd.Box(-3.0, 1.0), (-6.0, 3.0)),
        (dtd.NonNegative(), dtd.NonNegative(), (0.0, float("inf"))),
        (dtd.Box(0.0, 2.0), dtd.NonNegative(), (0.0, float("inf"))),
        (dtd.Real(), dtd.Box(0.0, 1.0), (-float("inf"), float("inf"))),
        (dtd.Box(0.0, 0.0), dtd.Real(), (0.0, 0.0)),
    ],
)
def test_domains_of_products(a, b, expected):
    assert tuple(map(float, Product().image(a, b).bounds())) == expected


def test_the_path_to_the_origin_of_a_product_is_the_average_of_its_roots():
    """Infinitely many steps (and, since it is quadratic, one step of second order) share out a product by halves."""
    x = rand(3, 2, 4)
    half = explained(torch.mul, x, 2)[1]
    generic = lambda **options: [(dtd.where.kind("product"), dtd.Generic(at="reference", **options))]  # noqa: E731
    second = explained(torch.mul, x, 2, generic(order=2))[1]
    torch.testing.assert_close(second.relevance, half.relevance)
    first = explained(torch.mul, x, 2, generic())[1]
    assert first.relevance.abs().max() == 0
    network, many = explained(torch.mul, x, 2, generic(steps=10))
    left = many.layers[only(network, "product").name].balance.remainder
    torch.testing.assert_close(left, many.initial.sum(1) / 10)  # exactly 1/N


def test_second_order_narrows_what_softmax_leaves_over():
    x = 0.3 * rand(2, 1, 5)
    left = {}
    for order in (1, 2):
        plan = [(dtd.where.kind("softmax"), dtd.Generic(at="reference", order=order))]
        network, out = explained(lambda a: a.softmax(-1), x, 1, plan)
        left[order] = out.layers[only(network, "softmax").name].balance.remainder.abs().sum().item()
    assert left[2] < 0.3 * left[1]


def test_bad_parameters_and_places():
    with pytest.raises(dtd.InputError, match="'share' must be between 0 and 1"):
        dtd.ProductShares(1.5)
    with pytest.raises(dtd.InputError, match="'damping' must be >= 0"):
        dtd.MatMulShares(damping=-1.0)
    with pytest.raises(dtd.PlanError, match="not defined for layer"):
        explained(torch.mul, rand(2, 2, 3), 2, [(dtd.where.kind("product"), dtd.MatMulShares())])
    for shapes in (((-1, 2, 2, 3), (-1, 1, 3, 4)), ((-1, 4, 3), (-1, 3, 4))):  # leading axes are broadcast
        call, x = Call(lambda a, s=shapes: a.reshape(s[0]) @ a.reshape(s[1])), rand(2, 1, 12)
        out = dtd.explain(dtd.trace(call, x), x, same, dtd.Plan([]))
        torch.testing.assert_close(out.output, call(x))
        torch.testing.assert_close(out.relevance.flatten(1).sum(1), out.output.flatten(1).sum(1))
    assert isinstance(only(dtd.trace(nn.LayerNorm(3).double(), rand(2, 3)), "layer_norm").op, LayerNorm)
