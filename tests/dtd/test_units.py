"""Hidden units as what is explained: the model cut off there, with that unit as its output."""

import pytest
import torch
from torch import nn

import dtd
from dtd.fast.program import Program
from tests.dtd.test_passes import Counting
from tests.dtd.test_through import plan_of, small, values_of
from tests.models import model_and_input, randomised

close = torch.testing.assert_close
RULES = ("lrp0", "gamma", "zplus_signed", "alphabeta", "wsquare", "epsilon")


class Cut(nn.Module):
    """A model up to a convolution."""

    def __init__(self, model):
        super().__init__()
        self.first, self.second = model.first, model.second

    def forward(self, x):
        return self.second(self.first(x).relu())


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("rule", RULES)
def test_a_unit_is_the_output_of_the_model_cut_off_there(rule, fast):
    net, x = small()
    cut = dtd.trace(Cut(net.model), x, domain=dtd.Box(0.0, 2.0))
    values = values_of(net, x)[2]
    for unit, weights in (
        (dtd.Unit("second", channel=2), [((2,), 1.0)]),
        (dtd.Unit("second", channel=[0, -1], position=(1, 2)), [((0, 1, 2), 1.0), ((3, 1, 2), 1.0)]),
        (dtd.Unit("second", index=(1, 3, 0)), [((1, 3, 0), 1.0)]),
        (dtd.Unit("second", position=(2, 2)), [((slice(None), 2, 2), 1.0)]),
        (dtd.Unit("second", direction=torch.tensor([1.0, 0.0, -2.0, 0.0])), [((0,), 1.0), ((2,), -2.0)]),
    ):
        v = torch.zeros(4, 4, 4, dtype=torch.double)
        for place, weight in weights:
            v[place] = weight
        found = dtd.explain(net, x, unit, plan_of(net, rule, "neuron"), at=["relu"], fast=fast)
        expected = dtd.explain(cut, x, values * v, plan_of(cut, rule, "neuron"))
        close(found.relevance, expected.relevance)
        close(found.output, values), close(found.initial, values * v)
        assert list(found.layers) == list(expected.layers)
        for name, record in expected.layers.items():  # the unit's layer is linear, as an output is
            for one, other in zip(found.layers[name].balance.parts(), record.balance.parts(), strict=True):
                close(one, other)
            assert type(found.layers[name].model) is type(record.model)


def test_only_the_layers_below_are_run():
    net, x = small()
    plan = dtd.Plan.uniform("lrp0", bias="neuron")
    unit = dtd.Unit("second", channel=1)
    dtd.explain(net, x, unit, plan)
    with Counting() as counting:
        dtd.explain(net, x, unit, plan)
    assert counting.passes == 4  # two convolutions up and down


def test_the_layer_counts_as_an_output_where_a_relu_follows_in_the_network():
    net, x = small()
    plan = dtd.Plan.uniform("lrp0")
    assert type(dtd.explain(net, x, 0, plan).layers["first"].model) is dtd.TrainingFree
    out = dtd.explain(net, x, dtd.Unit("first", channel=0), plan)
    assert type(out.layers["first"].model) is dtd.Linear


def test_channels_share_the_forward_sweep(monkeypatch):
    net, x = small()
    sweeps, forward = [], Program.forward
    monkeypatch.setattr(Program, "forward", lambda *a: sweeps.append(1) or forward(*a))
    units = [dtd.Unit("second", channel=c) for c in range(4)]
    each = list(dtd.explain_each(net, x, units, at=["first"]))
    assert len(sweeps) == 1
    for unit, found in zip(units, each, strict=True):
        alone = dtd.explain(net, x, unit, at=["first"])
        close(found.relevance, alone.relevance), close(found.at["first"].output, alone.at["first"].output)
    with pytest.raises(dtd.InputError, match="all units of one layer, or all contrasts; found several"):
        list(dtd.explain_each(net, x, [0, units[0]]))
    whole = sum(found.relevance for found in each)
    v = torch.ones(4, 4, 4, dtype=torch.double)
    close(whole, dtd.explain(net, x, dtd.Unit("second", direction=v)).relevance)


def test_within_memory_and_with_side_values():
    net, x = small()
    unit = dtd.Unit("sum", channel=0)
    one, other = dtd.explain(net, x, unit, memory=40_000), dtd.explain(net, x, unit)
    close(one.relevance, other.relevance), close(one.layers["first"].balance.first, other.layers["first"].balance.first)
    sides = dtd.trace(Classed(), torch.rand(2, 3, 4, dtype=torch.double))
    x = torch.rand(2, 3, 4, dtype=torch.double)
    name = sides.layers[-2].name
    for fast in (True, False):
        out = dtd.explain(sides, x, dtd.Unit(name, channel=0), fast=fast)
        close(out.output, Classed().cut(x))
        close(out.relevance.sum((1, 2)) + sum(r.balance.bias for r in out.layers.values()), out.initial.sum((1, 2)))


class Classed(nn.Module):
    """A class token that is expanded to the batch, and a dense layer: layers that hold side values."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.token = nn.Parameter(torch.rand(1, 1, 4, dtype=torch.double))
        self.mix, self.head = nn.Linear(4, 4).double(), nn.Linear(4, 2).double()

    def cut(self, x):
        x = x + self.token.expand(x.shape[0], -1, -1)
        return self.mix(x)

    def forward(self, x):
        return self.head(self.cut(x))


def test_exact_models_below_a_unit():
    model = randomised(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)))
    x = torch.rand(2, 3, dtype=torch.double)
    net, cut = dtd.trace(model, x), dtd.trace(model[:3], x)
    entries = [("0", dtd.Exact(dtd.Activations())), ("2", dtd.Ray(dtd.Activations()))]
    plan, short = dtd.Plan([*entries, ("4", dtd.Ray(dtd.Activations()))]), dtd.Plan(entries)
    close(dtd.explain(net, x, dtd.Unit("2", index=1), plan).relevance, dtd.explain(cut, x, 1, short).relevance)


def test_the_channel_axis_is_the_layer_s_own():
    model, x = model_and_input("one_dimensional")
    net = dtd.trace(model, x)
    conv = next(layer for layer in net.layers if layer.kind == "convolution")
    out = dtd.explain(net, x, dtd.Unit(conv.name, channel=3), dtd.Plan.uniform("lrp0"))
    assert bool((out.initial[:, :3] == 0).all()) and bool((out.initial[:, 3] != 0).any())
    sigmoid = next(layer for layer in net.layers if layer.kind == "sigmoid")
    out = dtd.explain(net, x, dtd.Unit(sigmoid.name, channel=3), dtd.Plan.uniform("lrp0"))
    assert bool((out.initial[:, :3] == 0).all()) and bool((out.initial[:, 3] != 0).any())
    words = dtd.trace(nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Flatten(), nn.Linear(20, 2)), torch.rand(1, 4, 3))
    out = dtd.explain(words, torch.rand(1, 4, 3), dtd.Unit("1", channel=4), dtd.Plan.uniform("epsilon"))
    assert bool((out.initial[..., :4] == 0).all()) and bool((out.initial[..., 4] != 0).all())
    out = dtd.explain(words, torch.rand(1, 4, 3), dtd.Unit("1", channel=2, axis=0), dtd.Plan.uniform("epsilon"))
    assert bool((out.initial[:, 2] != 0).all()) and out.initial.count_nonzero() == 5


def test_wrong_units_are_refused():
    net, x = small()
    for make, message in (
        (lambda: dtd.Unit("second"), "needs a 'channel', a 'position', an 'index' or a 'direction'"),
        (lambda: dtd.Unit("second", channel=0, index=(0, 0, 0)), "found both"),
        (lambda: dtd.Unit("second", channel=0, direction=torch.ones(4)), "a 'channel' or a 'direction'; found both"),
        (lambda: dtd.Unit("second", direction=[1.0]), "must be a floating-point tensor"),
        (lambda: dtd.Unit(2, channel=0), "starts with the name of a layer"),
        (lambda: dtd.Unit("second", channel=4), "channel of layer 'second' is a number from 0 to 3"),
        (lambda: dtd.Unit("second", position=3), r"'position' must lie in \(4, 4\)"),
        (lambda: dtd.Unit("second", index=(0, 0)), r"'index' must lie in \(4, 4, 4\)"),
        (lambda: dtd.Unit("second", direction=torch.ones(3)), r"must have shape \(4,\)"),
        (lambda: dtd.Unit("second", channel=0, axis=3), "'axis' must be one of the 3 axes"),
        (lambda: dtd.Unit("third", channel=0), "no layer 'third'. The layers are"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.explain(net, x, make())
    with pytest.raises(dtd.InputError, match="Layer 'last' is not below the unit that is explained"):
        dtd.explain(net, x, dtd.Unit("second", channel=0), at=["last"])
    with pytest.raises(dtd.InputError, match="With verify=True the network's own output"):
        dtd.explain(net, x, dtd.Unit("second", channel=0), verify=True)
