"""Relevance that becomes too small for its dtype is said, with the layer, and nothing else is."""

import warnings

import pytest
import torch
from torch import nn

import dtd

NEURON = dtd.Plan.uniform("lrp0", bias="neuron")
SHARE = 1e-6  # of its relevance that each layer hands down; the bias neuron keeps the rest


class Falling(nn.Module):
    """Layers with ``z = 10⁻⁶ a + 1``."""

    def __init__(self, count):
        super().__init__()
        self.layers = nn.Sequential(*(part for _ in range(count) for part in (nn.Linear(2, 2), nn.ReLU())))
        with torch.no_grad():
            for layer in self.layers[::2]:
                layer.weight.copy_(SHARE * torch.eye(2)), layer.bias.fill_(1)

    def forward(self, x):
        return self.layers(x)


def said(network, x, target=0, plan=NEURON, **how):
    """The explanation, and the warnings about small relevance."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        out = dtd.explain(network, x, target, plan, **how)
    assert all(each.filename == __file__ for each in found)
    return out, [str(each.message) for each in found]


def exact(count):
    """What the first input has, in float64."""
    model, x = Falling(count).double().eval(), torch.ones(2, 2).double()
    return float(dtd.explain(dtd.trace(model, x), x, 0, NEURON).relevance[0, 0])


@pytest.mark.parametrize("how", [{}, {"fast": False}, {"memory": 10**6}], ids=["fast", "definition", "memory"])
@pytest.mark.parametrize(
    ("count", "where"),
    [(5, None), (6, "at the inputs"), (7, "at layer 'layers.1'"), (8, "at layer 'layers.3'"), (12, "at layer 'layers.11'")],
)
def test_relevance_that_falls_below_the_dtype_inside_a_pass(count, where, how):
    x = torch.ones(2, 2)
    out, warned = said(dtd.trace(Falling(count).eval(), x), x, **how)
    true = exact(count)
    if where is None:
        assert not warned and abs(float(out.relevance[0, 0]) - true) <= 1e-5 * true
        return
    (message,) = set(warned)
    assert message.startswith(f"Relevance is below 1e-31 {where if count < 12 else 'at layer'}")
    if count >= 8:
        assert float(out.relevance[0, 0]) == 0 < true  # it is gone


@pytest.mark.parametrize("count", [7, 8])
def test_what_the_message_says_to_do_helps(count):
    x, true = torch.ones(2, 2), exact(count)
    network = dtd.trace(Falling(count).eval(), x)
    chosen = torch.tensor([1.0, 0.0])
    out, warned = said(network, x, lambda y: 1e20 * y * chosen)
    assert not warned and float(out.relevance[0, 0]) * 1e-20 == pytest.approx(true, rel=1e-4)
    double, x = Falling(count).double().eval(), x.double()
    assert not said(dtd.trace(double, x), x)[1]


def test_balances_name_the_layer_of_a_pass_whose_ends_are_large():
    class Back(nn.Module):
        """Falls by 10³⁶, and grows again where contributions cancel."""

        def __init__(self):
            super().__init__()
            self.grow, self.fall = nn.Linear(2, 1, bias=False), Falling(6)
            with torch.no_grad():
                self.grow.weight.copy_(torch.tensor([[1.0, -0.9999]]))

        def forward(self, x):
            y = self.grow(x).relu()
            return self.fall(torch.cat([y, y], -1))

    x = torch.tensor([[1e4, 1e4]])
    out, _ = said(dtd.trace(Back().eval(), x), x)
    with pytest.warns(dtd.UnderflowWarning, match="at layer"):
        assert out.layers


@pytest.mark.parametrize("how", [{}, {"fast": False}])
def test_nothing_is_said_of_relevance_that_is_0_or_kept(how):
    x = torch.ones(2, 2)
    network = dtd.trace(Falling(3).eval(), x)
    assert not said(network, x * 0, **how)[1]
    assert not said(network, x, lambda y: y * 0, **how)[1]
    dead = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).eval()
    with torch.no_grad():
        dead[0].weight.fill_(-1), dead[0].bias.fill_(-1), dead[2].bias.fill_(1)
    out, warned = said(dtd.trace(dead, x), x, plan=NEURON, **how)
    assert not warned and not out.relevance.any() and bool(out.initial.all())
    assert not said(network, x[:0], **how)[1]
