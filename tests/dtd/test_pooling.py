"""Max pooling as average pooling: against autograd through the average itself, and with a balance that closes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from dtd import presets, where
from dtd.plans.rules import choose

MAX_POOL = where.kind("max_pool")
POOLS = {
    "plain": (nn.MaxPool2d(2), (2, 6, 6)),
    "overlapping_ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), (2, 7, 8)),
    "padded": (nn.MaxPool2d((3, 2), (2, 1), padding=(1, 0)), (1, 5, 4)),
    "padded_ceil": (nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), (1, 6, 6)),
    "dilated": (nn.MaxPool2d(2, 2, dilation=3), (1, 8, 7)),
    "1d": (nn.MaxPool1d(3, 1, dilation=2), (2, 9)),
    "3d": (nn.MaxPool3d(2), (1, 4, 4, 2)),
}


def drawn(shape, signed=False):
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    return x if signed else x.abs() + 0.01


def members(pool: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """Which inputs each output reads, from max pooling itself: raise one input at a time. # shape: (out, in)"""
    inputs = torch.zeros(1, *shape, dtype=torch.double)
    reads = [
        pool((inputs.flatten().index_fill(0, torch.tensor(i), 1.0)).reshape(inputs.shape)) for i in range(inputs.numel())
    ]
    return torch.stack([r.flatten() for r in reads], 1)


def mean_of(pool: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The average over the windows of a max pooling. # shape: (B, out)"""
    reads = members(pool, tuple(x.shape[1:]))
    return x.flatten(1) @ (reads / reads.sum(1, keepdim=True)).mT


@pytest.mark.parametrize("name", sorted(POOLS))
def test_the_average_is_that_of_the_same_windows(name):
    pool, shape = POOLS[name]
    x = drawn(shape, signed=True)
    (layer,) = dtd.trace(pool, x).layers
    torch.testing.assert_close(layer.op.average.apply(x).flatten(1), mean_of(pool, x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, presets.RelativeEpsilon(0.25)])
@pytest.mark.parametrize("name", sorted(POOLS))
def test_relevance_is_that_of_an_average_pool_in_its_place(name, epsilon):
    """The tutorial's pass by autograd: ``s = R / (m + ε)``, ``c = ∇ Σ m s``, ``R = a c``, with average pooling for max."""
    pool, shape = POOLS[name]
    x = drawn(shape).requires_grad_()
    mean = mean_of(pool, x)
    arrived = torch.rand(mean.shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    damping = epsilon(mean.detach()) if callable(epsilon) else epsilon
    (c,) = torch.autograd.grad((mean * (arrived / (mean + damping)).detach()).sum(), x)
    expected, x = (x * c).detach(), x.detach()
    plan = dtd.Plan([(MAX_POOL, dtd.MaxAsAverage(choose("epsilon", bias="neuron", epsilon=epsilon)))])
    network = dtd.trace(pool, x)
    for each in (plan, plan.explicit()):
        out = dtd.explain(network, x, lambda y: arrived.reshape(y.shape), each)
        torch.testing.assert_close(out.relevance, expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(out.output, pool(x))  # the forward pass is max pooling's own
        (record,) = out.layers.values()
        absorbed = record.balance.zeroth + record.balance.remainder  # an explicit rule has no root: all in the remainder
        torch.testing.assert_close(absorbed, (arrived - arrived * mean / (mean + damping)).sum(1).detach())
        assert record.balance.gap.abs().max() < 1e-12


@pytest.mark.parametrize("name", sorted(POOLS))
def test_of_the_maximum_itself_the_remainder_holds_what_the_average_does_not_cover(name):
    """``R̂(a) = R max(a)/y`` at the root 0 with the average as its subgradient there, by autograd."""
    pool, shape = POOLS[name]
    x = drawn(shape)
    y, arrived = pool(x).flatten(1), torch.rand(3, *pool(x).shape[1:], dtype=torch.double)
    root = torch.zeros_like(x).requires_grad_()
    (gradient,) = torch.autograd.grad((mean_of(pool, root) * arrived.flatten(1) / y).sum(), root)
    plan = dtd.Plan([(MAX_POOL, dtd.MaxAsAverage(fitted=False))])
    for each in (plan, plan.explicit()):
        out = dtd.explain(dtd.trace(pool, x), x, lambda _: arrived, each)
        torch.testing.assert_close(out.relevance, gradient * x, rtol=1e-10, atol=1e-12)
        balance = out.layers[next(iter(out.layers))].balance
        rest = (arrived.flatten(1) * (1 - mean_of(pool, x) / y)).sum(1)
        torch.testing.assert_close(balance.remainder, rest, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(balance.relevance, arrived.flatten(1).sum(1))
        assert (rest > 0).all() and balance.gap.abs().max() < 1e-12


def test_a_window_of_zeros_keeps_its_relevance_in_the_zeroth_term():
    x = torch.zeros(1, 1, 2, dtype=torch.double)
    plan = dtd.Plan([(MAX_POOL, dtd.MaxAsAverage())])
    out = dtd.explain(dtd.trace(nn.MaxPool1d(2), x), x, torch.ones_like, plan)
    (record,) = out.layers.values()
    assert not out.relevance.any() and record.balance.zeroth.item() == 1.0


class Pooled(nn.Module):
    """Four layers with weights; max pooling after the first and the third."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 1), nn.Conv2d(3, 2, 3)
        self.head = nn.Linear(2, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        return self.head(F.max_pool2d(F.relu(self.third(F.relu(self.second(x)))), 2).flatten(1))


def test_a_kind_is_narrowed_by_depth_and_the_overview_damps_the_pooling_in_its_middle():
    model, x = Pooled().double().eval(), torch.rand(2, 1, 10, 10, dtype=torch.double)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    pools = [layer.name for layer in network.layers if layer.kind == "max_pool"]
    for position, name in zip((0, 2), pools, strict=True):
        chosen = MAX_POOL & where.depth(position, position + 1)
        assert [layer.name for layer in network.layers if chosen.matches(layer, network)] == [name]
    plan = presets.lrp_overview_2019(average_pooling=True)
    models = dict(zip((layer.name for layer in network.layers), plan.bind(network), strict=True))
    assert [models[name].model.root.damping for name in pools] == [0.0, presets.RelativeEpsilon()]
    out, formula = (dtd.explain(network, x, 0, each) for each in (plan, plan.explicit()))
    torch.testing.assert_close(out.relevance, formula.relevance, rtol=1e-10, atol=1e-12)
    again = dtd.explain(network, x, 0, presets.lrp_overview_2019().average_pooling()).relevance
    assert torch.equal(again, out.relevance)
    winner = dtd.explain(network, x, 0, presets.lrp_overview_2019()).relevance
    assert (out.relevance - winner).abs().max() > 1e-3 * winner.abs().max()


def test_wrong_uses_are_refused():
    with pytest.raises(dtd.InputError, match="'rule' must be a choice of the catalogue"):
        dtd.MaxAsAverage(dtd.Ray(dtd.Activations()))
    network = dtd.trace(nn.Linear(2, 2), torch.rand(2, 2))
    with pytest.raises(dtd.PlanError, match="is not defined for layer 'dense'"):
        dtd.Plan([("*", dtd.MaxAsAverage())]).bind(network)


def test_deviation_and_root_mean_square_of_the_preactivations():
    z = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.double) + 1
    deviation, size = presets.DeviationEpsilon(0.5)(z), presets.RelativeEpsilon(0.5)(z)
    assert deviation.flatten().tolist() == pytest.approx((0.5 * z.flatten(1).numpy().std(1)).tolist())
    assert size.flatten().tolist() == pytest.approx([0.5 * (s**2).mean().item() ** 0.5 for s in z])
    torch.testing.assert_close(deviation**2, size**2 - (0.5 * z.mean((1, 2), keepdim=True)) ** 2)
    for made in (presets.DeviationEpsilon, presets.RelativeEpsilon):
        with pytest.raises(dtd.InputError, match="'factor' must be >= 0; found -1"):
            made(-1)


def test_a_maximum_of_zero_hands_nothing_down():
    """``c m 1[y ≠ 0]`` where coefficients arrive: the first window's maximum is 0 and its average is not."""
    model = nn.Sequential(nn.MaxPool1d(2), nn.Flatten(), nn.Linear(2, 1)).double()
    nn.init.ones_(model[2].weight)
    x = torch.tensor([[[-1.0, 0.0, 2.0, 4.0]]], dtype=torch.double)
    plan = dtd.Plan([(MAX_POOL, dtd.MaxAsAverage(fitted=False)), ("*", choose("lrp0"))])
    out = dtd.explain(dtd.trace(model, x), x, lambda y: torch.ones_like(y), plan)
    share = 1 / (out.output - model[2].bias).item()
    torch.testing.assert_close(out.relevance, share * torch.tensor([[[0.0, 0.0, 1.0, 2.0]]], dtype=torch.double))
