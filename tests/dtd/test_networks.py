"""Whole networks: traced faithfully, conserved layer by layer, and left alone."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dtd
from tests.models import MODELS, model_and_input


@pytest.fixture(params=sorted(MODELS))
def traced(request):
    model, x = model_and_input(request.param)
    return model, x, dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))


@pytest.mark.parametrize("folded", [True, False])
def test_output_is_the_models_and_the_model_is_untouched(folded):
    for name in MODELS:
        model, x = model_and_input(name)
        before = copy.deepcopy(model.state_dict())
        network = dtd.trace(model, x[:1], domain=dtd.Box(0.0, 1.0), fold_batch_norm=folded)
        out = dtd.explain(network, x, 1, dtd.Plan.uniform("zplus_signed"))
        torch.testing.assert_close(out.output, model(x).detach(), rtol=1e-12, atol=1e-13)
        assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
        assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
@pytest.mark.parametrize("rule", ["lrp0", "epsilon", "gamma_signed", "zplus_signed", "alphabeta", "wsquare", "flat"])
def test_every_layer_balances_and_the_formulas_agree(traced, rule, bias):
    _, x, network = traced
    plan = dtd.Plan.uniform(rule, bias=bias, **({"epsilon": 0.05} if rule == "epsilon" else {}))
    out = dtd.explain(network, x, 0, plan)
    for record in out.layers.values():
        largest = max(1.0, record.balance.relevance.abs().max().item(), record.balance.first.abs().max().item())
        assert record.balance.gap.abs().max() < 1e-9 * largest, record.layer.name
    formula = dtd.explain(network, x, 0, plan.explicit())
    scale = out.relevance.abs().max()
    assert (out.relevance - formula.relevance).abs().max() < 1e-8 * scale
    kept = sum(getattr(r.balance, part) for r in out.layers.values() for part in ("bias", "zeroth", "remainder"))
    total = out.initial.sum(1)
    scale = max(1.0, kept.abs().max().item(), out.relevance.abs().sum().item())
    assert (total - out.relevance.flatten(1).sum(1) - kept).abs().max() < 1e-9 * scale


def test_epsilon_on_a_bias_free_relu_network_is_gradient_times_input():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4, bias=False)
    )
    model = model.double().eval()
    x = torch.rand(2, 1, 6, 6, dtype=torch.double, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[:, 2].sum(), x)
    out = dtd.explain(dtd.trace(model, x.detach()), x.detach(), 2, dtd.Plan.uniform("lrp0"))
    torch.testing.assert_close(out.relevance, (gradient * x).detach(), rtol=1e-10, atol=1e-12)


def test_folding_batch_norm_changes_nothing_but_the_bias_convention():
    """With the bias fixed a single-input affine layer passes relevance on, so folded and kept agree for LRP-0."""
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).double().eval()
    with torch.no_grad():
        model[1].running_mean.normal_(), model[1].running_var.uniform_(0.5, 2), model[1].weight.normal_()
    x = torch.rand(2, 2, 4, 4, dtype=torch.double)
    plan = dtd.Plan.uniform("lrp0")
    outputs = [dtd.explain(dtd.trace(model, x, fold_batch_norm=f), x, 0, plan).relevance for f in (True, False)]
    torch.testing.assert_close(*outputs, rtol=1e-9, atol=1e-12)


def test_zero_padding_is_no_input():
    """``F.pad`` with zeros before a convolution is the convolution's own padding: w² shares nothing with it."""
    conv = nn.Conv2d(1, 1, 3, bias=False).double()
    padded = nn.Sequential(nn.ZeroPad2d((0, 2, 1, 1)), conv)
    own = nn.Conv2d(1, 1, 3, padding=1, bias=False).double()
    own.weight = conv.weight
    x = torch.rand(1, 1, 4, 4, dtype=torch.double)
    network = dtd.trace(padded, x)
    assert [layer.kind for layer in network.layers] == ["convolution"]
    out = dtd.explain(network, x, lambda y: y, dtd.Plan.uniform("wsquare"))
    torch.testing.assert_close(out.relevance.sum(), out.initial.sum())
    reference = dtd.explain(dtd.trace(own, x), x, lambda y: y, dtd.Plan.uniform("wsquare"))
    torch.testing.assert_close(reference.relevance.sum(), reference.initial.sum())


def test_relevance_on_constants_is_reported_as_bias_share():
    class Padded(nn.Module):
        def forward(self, x):
            return F.pad(x, (1, 1), value=3.0)

    x = torch.rand(2, 3, dtype=torch.double)
    network = dtd.trace(Padded(), x)
    out = dtd.explain(network, x, lambda y: torch.ones_like(y), dtd.Plan([]))
    (record,) = out.layers.values()
    assert record.balance.bias.tolist() == [2.0, 2.0]
    assert out.relevance.tolist() == [[1.0] * 3] * 2


def test_live_parameters_are_followed_and_their_caches_dropped():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)).double().eval()
    x = torch.rand(2, 4, dtype=torch.double)
    network, plan = dtd.trace(model, x, domain=dtd.NonNegative()), dtd.Plan.uniform("gamma")
    first = dtd.explain(network, x, 0, plan).relevance
    with torch.no_grad():
        model[0].weight.mul_(-1.5)
    second = dtd.explain(network, x, 0, plan)
    fresh = dtd.explain(dtd.trace(model, x, domain=dtd.NonNegative()), x, 0, plan)
    assert not torch.equal(first, second.relevance)
    assert torch.equal(second.relevance, fresh.relevance) and torch.equal(second.output, model(x).detach())


def test_max_pooling_winner_takes_all_with_overlap_and_ties():
    x = torch.tensor([[[1.0, 3.0, 2.0, 2.0]]], dtype=torch.double)
    network = dtd.trace(nn.MaxPool1d(3, 1), x)
    out = dtd.explain(network, x, lambda y: torch.ones_like(y), dtd.Plan([]))
    assert out.relevance.tolist() == [[[0.0, 2.0, 0.0, 0.0]]]
    tied = torch.tensor([[[2.0, 2.0, 2.0]]], dtype=torch.double)
    out = dtd.explain(network := dtd.trace(nn.MaxPool1d(3), tied), tied, lambda y: y, dtd.Plan([]))
    assert out.relevance.tolist() == [[[2.0, 0.0, 0.0]]]


def test_printed_table_names_layers_shapes_and_domains(traced):
    _, _, network = traced
    text = str(network)
    assert "Box[0, 1]" in text and all(layer.name in text for layer in network.layers)
    assert len({layer.name for layer in network.layers}) == len(network.layers)


def test_a_module_used_twice_has_two_names_and_one_path():
    model, x = model_and_input("everything")
    names = [layer.name for layer in dtd.trace(model, x).weighted]
    assert "shared" in names and "shared@2" in names


def test_several_images_of_one_sample_share_a_convolution():
    """Frames on the batch axis: each image as if it were alone, gradient × input where there are no biases."""

    class Frames(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False)
            self.head = nn.Linear(3 * 4 * 9, 2, bias=False)

        def forward(self, x):
            return self.head(torch.relu(self.layer(x.flatten(0, 1))).view(len(x), -1))

    torch.manual_seed(0)
    model, x = Frames().double(), torch.randn(2, 3, 2, 6, 6, dtype=torch.double, requires_grad=True)
    network = dtd.trace(model, x.detach())
    out = dtd.explain(network, x.detach(), 1, dtd.Plan.uniform("lrp0", bias="neuron"))
    (gradient,) = torch.autograd.grad(model(x)[:, 1].sum(), x)
    torch.testing.assert_close(out.relevance, (gradient * x).detach(), rtol=1e-10, atol=1e-12)
    assert (dtd.audit(network, x.detach(), 1, dtd.Plan.uniform("gamma_signed")).gap < 1e-10).all()
