"""Adjoints by minimal filtering against their definition in double precision, and in explanations."""

from copy import deepcopy

import pytest
import torch
from torch import nn

import dtd
from dtd.affine import Convolution
from dtd.fast.kernels import Passes, fastest, winograd
from dtd.fast.kernels.narrow import ConvolutionPasses

PADDINGS = [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((0, 2), (1, 0)), ((2, 2), (2, 1))]
SHAPES = [(9, 14, 14, 256, 130), (1, 33, 40, 128, 200), (3, 20, 31, 300, 140)]  # samples, height, width, channels


@pytest.fixture(autouse=True)
def smaller(monkeypatch):
    """Sizes that a test can afford."""
    monkeypatch.setattr(winograd, "WIDE", 60)
    monkeypatch.setattr(winograd, "MANY", 48)


def convolution(padding, height, width, c, k, **changes) -> Convolution:
    torch.manual_seed(0)
    (top, bottom), (left, right) = padding
    arguments = {
        "weight": torch.randn(k, c, 3, 3) / c**0.5,
        "bias": torch.randn(k),
        "in_shape": (c, height, width),
        "out_shape": (k, height + top + bottom - 2, width + left + right - 2),
        "stride": (1, 1),
        "dilation": (1, 1),
        "padding": padding,
    }
    return Convolution(**arguments | changes)


def in_double(affine: Convolution) -> Convolution:
    return affine.scaled(torch.ones(len(affine.weight), dtype=torch.double), torch.zeros(len(affine.weight)))


def by_definition(affine) -> Passes:
    return (ConvolutionPasses if isinstance(affine, Convolution) else Passes)(affine)


def relative(found: torch.Tensor, exact: torch.Tensor) -> float:
    assert found.shape == exact.shape
    return ((found - exact).abs().max() / exact.abs().max()).item()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize("block", [2**20, winograd.BLOCK])
@torch.no_grad()
def test_filtering_is_the_adjoint(monkeypatch, padding, shape, block):
    """To the rounding errors of float32: up to 4e-6 of the largest output, where the definition has 1e-6 to 2e-6."""
    monkeypatch.setattr(winograd, "BLOCK", block)
    n, *rest = shape
    affine = convolution(padding, *rest)
    fast, exact = fastest(affine), in_double(affine)
    assert type(fast) is winograd.FilteredConvolution
    s = torch.randn(n, *affine.out_shape)
    calls = []
    monkeypatch.setattr(winograd, "blocks", lambda *given, blocks=winograd.blocks: calls.append(given) or blocks(*given))
    assert relative(fast.transpose(s, affine.weight), exact.transpose(s.double(), exact.weight)) < 4e-6
    assert len(calls) == 1


@torch.no_grad()
def test_errors_are_those_of_the_definition():
    """Root mean squares, of sums of either sign and of positive ones."""
    affine = convolution(((1, 1), (1, 1)), 28, 28, 256, 256)
    s = torch.rand(2, *affine.out_shape)
    for weight in (affine.weight, affine.weight.clamp(min=0)):
        exact = affine.transpose(s.double(), weight.double())
        by_filtering = (fastest(affine).transpose(s, weight) - exact).norm() / exact.norm()
        by_definition = (affine.transpose(s, weight) - exact).norm() / exact.norm()
        assert by_filtering < 4 * by_definition and by_filtering < 2e-6


@torch.no_grad()
def test_filters_of_small_batches_and_other_precisions_are_not_transformed(monkeypatch):
    affine = convolution(((1, 1), (1, 1)), 14, 14, 128, 128)
    fast = fastest(affine)
    monkeypatch.setattr(winograd, "adjoint", None)  # whoever calls it fails
    for a in (torch.rand(2, *affine.in_shape), torch.rand(4, *affine.in_shape).to(torch.bfloat16)):
        weight = affine.weight.to(a.dtype)
        torch.testing.assert_close(fast.transpose(a, weight), affine.transpose(a, weight), rtol=0, atol=0)
    with pytest.raises(TypeError):
        fast.transpose(torch.rand(4, *affine.out_shape), affine.weight)


def test_other_convolutions_stay_as_they_are():
    same = ((1, 1), (1, 1))
    others = [
        convolution(same, 14, 14, 64, 64),
        convolution(same, 14, 14, 128, 128, stride=(2, 2), out_shape=(128, 7, 7)),
        convolution(((2, 2), (2, 2)), 14, 14, 128, 128, dilation=(2, 2), out_shape=(128, 14, 14)),
        convolution(same, 14, 14, 128, 128, groups=2, weight=torch.randn(128, 64, 3, 3)),
        convolution(((3, 3), (3, 3)), 14, 14, 128, 128),
        convolution(((0, 0), (0, 0)), 14, 14, 128, 128, weight=torch.randn(128, 128, 1, 1), out_shape=(128, 14, 14)),
    ]
    assert all(type(fastest(affine)) is ConvolutionPasses for affine in others)


@torch.no_grad()
def test_what_no_relevance_reaches_stays_zero():
    affine = convolution(((1, 1), (1, 1)), 28, 28, 128, 128)
    s = torch.zeros(1, *affine.out_shape)
    s[:, :, 5:9, 11:17] = torch.randn(128, 4, 6)
    found = fastest(affine).transpose(s, affine.weight)
    assert torch.equal((found != 0).any(1), (affine.transpose(s, affine.weight) != 0).any(1))


@pytest.mark.parametrize("rule", ["zplus", "gamma", "alphabeta"])
def test_inputs_that_are_off_keep_their_sums(rule):
    """Beside a few bright pixels: a forward sum that is 0 must stay 0, since it becomes a denominator."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 128, 3, padding=1), nn.Conv2d(128, 128, 3, padding=1), nn.Conv2d(128, 128, 3, padding=1)]
    torch.nn.init.uniform_(layers[0].bias, -0.1, 0.0)  # nothing is on where the picture is black
    for layer in layers[1:]:
        torch.nn.init.uniform_(layer.bias, 0.0, 0.1)
    active = [part for layer in layers for part in (layer, nn.ReLU())]
    model = nn.Sequential(*active, nn.Flatten(), nn.Linear(128 * 28 * 28, 4)).eval()
    x, box, plan = torch.zeros(2, 1, 28, 28), dtd.Box(0.0, 1.0), dtd.Plan.uniform(rule)
    x[:, :, 9:16, 10:19] = torch.rand(2, 1, 7, 9)
    exact = dtd.explain(dtd.trace(deepcopy(model).double(), x.double(), box), x.double(), 1, plan).relevance
    fast = dtd.explain(dtd.trace(model, x, box), x, 1, plan).relevance
    assert type(fastest(dtd.trace(model, x, box).layers[2].op)) is winograd.FilteredConvolution
    assert relative(fast, exact) < 2e-3


@pytest.mark.parametrize("rule", ["lrp0", "epsilon", "gamma", "gamma_signed", "zplus", "alphabeta", "wsquare", "flat"])
def test_explanations_are_as_exact(rule, monkeypatch):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(3, 130, 3, padding=1), nn.ReLU(), nn.Conv2d(130, 140, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(140, 128, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128 * 13 * 13, 4)),
    ).eval()
    x, box = torch.rand(4, 3, 28, 28), dtd.Box(0.0, 1.0)
    plan = dtd.Plan([(dtd.where.first, dtd.rules.choose("zbox")), ("*", dtd.rules.choose(rule))])
    exact = dtd.explain(dtd.trace(deepcopy(model).double(), x.double(), box), x.double(), torch.arange(4), plan)
    calls = []
    monkeypatch.setattr(winograd, "blocks", lambda *given, blocks=winograd.blocks: calls.append(given) or blocks(*given))
    fast = dtd.explain(dtd.trace(model, x, box), x, torch.arange(4), plan)
    assert len(calls) >= 2
    monkeypatch.setattr("dtd.fast.affine.fastest", by_definition)
    slow = dtd.explain(dtd.trace(model, x, box), x, torch.arange(4), plan)
    for found, same, truth in ((fast.output, slow.output, exact.output), (fast.relevance, slow.relevance, exact.relevance)):
        assert relative(found, truth) < 5 * relative(same, truth)
