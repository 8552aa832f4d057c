"""What an audit announces is what it then builds, at most."""

from importlib import import_module

import pytest
import torch
from torch import nn

import dtd
from dtd.root.units import FieldUnits


def network() -> tuple[dtd.Network, torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5), nn.ReLU(), nn.Linear(5, 4)).double()
    x = torch.rand(3, 2, 6, 6, dtype=torch.double)
    return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x


def built(monkeypatch, net, x, **arguments) -> dict[int, list[tuple[int, ...]]]:
    """Shapes of the chunks that an audit of every unit builds, by their number of inputs."""
    shapes: dict[int, list[tuple[int, ...]]] = {}
    made = FieldUnits.__init__

    def watched(self, affine, a, index):
        made(self, affine, a, index)
        shapes.setdefault(affine.fan_in, []).append(tuple(self.activations.shape))

    monkeypatch.setattr(FieldUnits, "__init__", watched)
    everywhere = torch.ones(3, 4, dtype=torch.double)  # so that every output receives relevance
    dtd.audit(net, x, everywhere, dtd.Plan.uniform("wsquare"), **arguments)
    return shapes


@pytest.mark.parametrize("arguments", [{}, {"memory": 3 * 48 * 8 * 12}, {"units": 2}])
def test_an_audit_builds_at_most_what_was_said(monkeypatch, arguments):
    net, x = network()
    cost = dtd.audit_cost(net, x, dtd.Plan.uniform("wsquare"), **arguments).set_index("layer")
    shapes = built(monkeypatch, net, x, **arguments)
    assert cost.inputs.tolist() == [18, 48, 5] and cost.units.tolist() == [
        min(arguments.get("units", 48), n) for n in (48, 5, 4)
    ]
    for layer in cost.itertuples():
        coordinates = sum(b * k * j for b, k, j in shapes[layer.inputs])
        assert 0 < coordinates <= layer.coordinates and len(shapes[layer.inputs]) <= layer.chunks
    last = cost.iloc[-1]
    assert sum(b * k * j for b, k, j in shapes[5]) == last.coordinates and len(shapes[5]) == last.chunks


def test_too_little_memory_is_said_before_anything_is_computed(monkeypatch):
    net, x = network()
    monkeypatch.setattr(import_module("dtd.audit.audit"), "observe_models", lambda *_: pytest.fail("the audit started"))
    for call in (dtd.audit_cost, lambda net, x, plan, memory: dtd.audit(net, x, 0, plan, memory=memory)):
        with pytest.raises(dtd.BudgetError, match="the memory bound is 100"):
            call(net, x, dtd.Plan.uniform("gamma"), memory=100)


def test_layers_without_roots_are_not_counted():
    net, x = network()
    assert dtd.audit_cost(net, x, dtd.Plan.uniform("gamma").explicit()).empty
