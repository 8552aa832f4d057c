"""The composite on a small VGG-16 against the pass of the LRP overview's authors: autograd through modified layers."""

import copy
from functools import partial

import torch
from torch import Tensor, nn

import dtd
from dtd import presets

CHANNELS = (2, 2, "pool", 3, 3, "pool", 4, 4, 4, "pool", 4, 4, 4, "pool", 4, 4, 4, "pool")  # VGG-16's layers, fewer channels
LOW, HIGH = -1.5, 1.25  # of the normalised pixels


class SmallVGG(nn.Module):
    """VGG-16's order of layers, so that their numbers are the tutorial's."""

    def __init__(self):
        super().__init__()
        layers, before = [], 3
        for channels in CHANNELS:
            layers += [nn.MaxPool2d(2)] if channels == "pool" else [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = before if channels == "pool" else channels
        self.features = nn.Sequential(*layers)
        dense = [nn.Linear(4, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3)]
        self.classifier = nn.Sequential(*dense)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def changed(layer: nn.Module, rho) -> nn.Module:
    """The layer with ρ of its weight and bias."""
    layer = copy.deepcopy(layer)
    for parameter in layer.parameters():
        parameter.data = rho(parameter.data)
    return layer


def boosted(p: Tensor, gamma: float) -> Tensor:
    return p + gamma * p.clamp(min=0)


def damped(z: Tensor) -> Tensor:
    return z + 0.25 * z.square().mean().sqrt().detach()


def tutorial(model: SmallVGG, x: Tensor, target: int) -> Tensor:
    """γ = .25 up to layer 16, ε = .25 √(mean z²) from 17 to 30, LRP-0 above, z^B on the pixels; average pooling for max."""
    layers = [*model.features, nn.Flatten(), *model.classifier]
    activations = [x]
    for layer in layers:
        activations.append(layer(activations[-1]).detach())
    relevance = torch.zeros_like(activations[-1])
    relevance[:, target] = activations[-1][:, target]
    for number in range(len(layers) - 1, 0, -1):
        layer = nn.AvgPool2d(2) if isinstance(layers[number], nn.MaxPool2d) else layers[number]
        if isinstance(layer, nn.Flatten):
            relevance = relevance.reshape(activations[number].shape)
        if not isinstance(layer, (nn.Conv2d, nn.Linear, nn.AvgPool2d)):
            continue
        rho = partial(boosted, gamma=0.25) if number <= 16 else lambda p: p
        increase = damped if 17 <= number <= 30 else lambda z: z
        a = activations[number].clone().requires_grad_()
        z = increase(changed(layer, rho)(a))
        s = torch.where(relevance == 0, 0.0, relevance / z).detach()
        (c,) = torch.autograd.grad((z * s).sum(), a)
        relevance = (a * c).detach()
    first = layers[0]
    inputs = [value.clone().requires_grad_() for value in (x, x * 0 + LOW, x * 0 + HIGH)]
    signs = (lambda p: p, lambda p: -p.clamp(min=0), lambda p: -p.clamp(max=0))
    z = sum(changed(first, rho)(a) for rho, a in zip(signs, inputs, strict=True))
    s = torch.where(relevance == 0, 0.0, relevance / z).detach()
    gradients = torch.autograd.grad((z * s).sum(), inputs)
    return sum((a * c).detach() for a, c in zip(inputs, gradients, strict=True))


def test_the_composite_with_average_pooling_is_the_tutorials_pass():
    torch.manual_seed(0)
    model = SmallVGG().double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1
            parameter.copy_(scale * torch.randn_like(parameter))
    x = LOW + (HIGH - LOW) * torch.rand(1, 3, 32, 32, dtype=torch.double)
    target = int(model(x).argmax())
    expected = tutorial(model, x, target)
    assert model(x)[0, target] > 0 and expected.abs().max() > 0
    network = dtd.trace(model, x, domain=dtd.Box(LOW, HIGH))
    for plan in (
        presets.lrp_overview_2019(average_pooling=True),
        presets.lrp_overview_2019(signed=True, average_pooling=True),
    ):
        for each in (plan, plan.explicit()):
            found = dtd.explain(network, x, target, each).relevance
            assert (found - expected).abs().max() < 1e-9 * expected.abs().max()
    winner = dtd.explain(network, x, target, presets.lrp_overview_2019()).relevance
    assert (winner - expected).abs().max() > 1e-2 * expected.abs().max()
