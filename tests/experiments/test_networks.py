"""The networks of the experiments."""

from importlib import import_module

import pytest
import torch

from dtd.domain import Box, NonNegative
from dtd.network import trace
from experiments.cost.peers import installed
from experiments.cost.peers.models import folded
from experiments.models.cnn import CNN
from experiments.models.layers import randomise
from experiments.models.mlp import MLP
from experiments.models.vgg16 import VGG16


def test_the_cnn_keeps_every_input_with_weights_in_the_domain_that_rules_ask_for():
    network = trace(CNN(2, 10).eval(), torch.rand(2, 1, 8, 8), Box(0.0, 1.0))
    assert all(layer.domain.within(NonNegative()) for layer in network.weighted)
    assert {layer.kind for layer in network.layers} >= {"convolution", "dense", "sum", "average_pool", "relu"}
    assert all(layer.folded for layer in network.weighted if layer.kind == "convolution")


def test_an_mlp_ends_without_a_relu():
    network = trace(MLP([64, 8, 10]).eval(), torch.rand(2, 1, 8, 8), Box(0.0, 1.0))
    assert network.layers[-1].kind == "dense"


def test_folding_leaves_the_function_alone():
    model = CNN(4, 10)
    for _ in range(3):
        model(torch.rand(16, 1, 8, 8))
    model.eval()
    x = torch.rand(5, 1, 8, 8)
    merged = folded(model)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in merged.modules())
    torch.testing.assert_close(merged(x), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.peers
@pytest.mark.skipif(not installed("torchvision"), reason="needs torchvision")
def test_vgg16_is_torchvisions():
    import_module("experiments.machine.vision")
    vgg16 = import_module("torchvision.models").vgg16
    with torch.device("meta"):
        ours, theirs = VGG16(1000), vgg16()
    shapes = [{name: tuple(p.shape) for name, p in model.state_dict().items()} for model in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert [type(m) for m in ours.features] == [type(m) for m in theirs.features]
    assert [type(m) for m in ours.classifier] == [type(m) for m in theirs.classifier]


def test_random_weights_keep_the_scale_of_activations():
    torch.manual_seed(0)
    model = MLP([64] + [256] * 12 + [10]).eval()
    randomise(model)
    out = model(torch.randn(8, 1, 8, 8))
    assert 0.1 < out.std() < 20
