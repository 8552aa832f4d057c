"""The network above a layer, its linear regions, and roots on rays by bisection."""

import pytest
import torch
from torch import nn

import dtd
from dtd.network.above import live, output_from, same_region
from dtd.relevance.numeric import first_root, last_inside
from tests.models import model_and_input


@pytest.mark.parametrize("name", ["residual"])
def test_the_network_above_is_the_rest_of_the_network(name):
    model, x = model_and_input(name)
    network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    outputs = {-1: x}
    for i, layer in enumerate(network.layers):
        inputs_ = tuple(outputs[j] for j in layer.inputs)
        outputs[i] = layer(*inputs_)
    for first in range(len(network.layers) + 1):
        values = {j: outputs[j] for j in live(network.graph, first)}
        torch.testing.assert_close(output_from(network.graph, first, values), model(x))


def test_a_region_ends_where_a_sign_or_a_winner_changes():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Unflatten(1, (1, 3)), nn.MaxPool1d(3)).double()
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    graph, rows = dtd.trace(model, x).graph, torch.zeros(200, dtype=torch.long)
    same = same_region(graph, 0, {-1: x[:1]}, {-1: x}, rows)
    h = model[0](x)
    signs = ((h > 0) == (h[:1] > 0)).all(1)
    winner = (h[:1] <= 0).all() | (h.argmax(1) == h[:1].argmax(1))
    assert torch.equal(same, signs & winner) and 0 < same.sum() < 200
    w = model[0].weight[0].detach()
    kink = x[:1] - (h[:1, :1] / w.square().sum()) * w
    for moved in (kink + 1e-6 * w, kink - 1e-6 * w):
        assert bool(same_region(graph, 0, {-1: moved}, {-1: kink}, rows[:1]))
        assert not bool(same_region(graph, 0, {-1: moved}, {-1: 2 * kink - moved}, rows[:1]))


def test_first_roots_on_rays():
    """Zeros of cubics and a plateau, against the roots themselves."""
    roots = torch.tensor([0.3, 1.7, 0.9, 5.0], dtype=torch.double)
    value = lambda rows, t: (roots[rows] - t) ** 3 * (1 + t)  # noqa: E731
    grid = torch.arange(1, 9, dtype=torch.double).expand(4, -1) / 4
    t, exists = first_root(value, value(torch.arange(4), torch.zeros(4).double()), grid)
    assert exists.tolist() == [True, True, True, False]
    torch.testing.assert_close(t[:3], roots[:3], rtol=5e-13, atol=0)
    assert bool((value(torch.arange(3), t[:3]) > 0).all())
    flat = lambda rows, t: (roots[rows] - t).clamp(min=0)  # noqa: E731
    t, exists = first_root(flat, roots, grid)
    torch.testing.assert_close(t[:3], roots[:3], rtol=5e-13, atol=0)
    end = last_inside(lambda rows, t: t <= roots[rows], torch.full((4,), 2.0).double())
    torch.testing.assert_close(end, roots.clamp(max=2.0), rtol=1e-12, atol=0)
