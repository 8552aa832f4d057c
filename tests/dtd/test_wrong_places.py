"""Layers, channels, places and inputs that there are not: each entry point says which ones there are."""

import pytest
import torch
from torch import nn

import dtd

PLAN = dtd.Plan.uniform("epsilon")
NAMES = r"The layers are 0, 1, 2, 3\."
CHANNELS = "A channel of layer '0' is a number from 0 to 3, or several of them; found"


@pytest.fixture(scope="module")
def traced():
    torch.manual_seed(0)
    x = torch.rand(2, 1, 4, 4)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    return dtd.trace(model, x), x


def explained(net, x, target=0, **options):
    return dtd.explain(net, x, target, PLAN, **options)


LAYERS = {
    "at": lambda net, x, name: explained(net, x, at=[name]),
    "at, differentiable": lambda net, x, name: explained(net, x.clone().requires_grad_(), at=[name], create_graph=True),
    "each": lambda net, x, name: list(dtd.explain_each(net, x, [0], PLAN, at=[name])),
    "through": lambda net, x, name: explained(net, x, through={name: 0}),
    "unit": lambda net, x, name: explained(net, x, dtd.Unit(name, channel=0)),
    "lower": lambda net, x, name: explained(net, x).edges(name, "3"),
    "upper": lambda net, x, name: explained(net, x).edges("0", name),
    "concepts": lambda net, x, name: dtd.concepts(net, x, name, 0, PLAN),
    "subspaces": lambda net, x, name: dtd.subspaces(net, x, name, 0, PLAN),
    "pairs": lambda net, x, name: dtd.pairs(net, x, x, PLAN, layer=name),
    "walks": lambda net, x, name: dtd.walks(net, x[:1], 0, PLAN, layers=[name]),
    "second order": lambda net, x, name: dtd.second_order(net, x, dtd.Unit(name, channel=0)),
    "patching": lambda net, x, name: dtd.patching(net, x, x, 0, PLAN, at=[name]),
}


@pytest.mark.parametrize("entry", LAYERS)
def test_a_layer_that_there_is_not(traced, entry):
    with pytest.raises(dtd.InputError, match=f"The network has no layer 'nowhere'. {NAMES}"):
        LAYERS[entry](*traced, "nowhere")


def test_what_was_found_names_its_layers(traced):
    out = explained(*traced, at=["0", "1"])
    with pytest.raises(KeyError, match="nothing of 'nowhere' here; there is of 0, 1"):
        out.at["nowhere"]
    with pytest.raises(KeyError, match="nothing of 'nowhere' here; there is of 0, 1, 2, 3"):
        out.layers["nowhere"]


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        (f"{CHANNELS} 9", lambda net, x: explained(net, x, through={"0": 9})),
        (f"{CHANNELS} 4", lambda net, x: explained(net, x, dtd.Unit("0", channel=4))),
        (f"{CHANNELS} 0.5", lambda net, x: explained(net, x, dtd.Unit("0", channel=0.5))),
        (f"{CHANNELS} True", lambda net, x: explained(net, x, dtd.Unit("0", channel=True))),
        ("'position' must lie in \\(2, 2\\)", lambda net, x: explained(net, x, dtd.Unit("0", position=0.5))),
        ("'position' must lie in \\(2, 2\\)", lambda net, x: explained(net, x, dtd.Unit("0", position=(0.5, 0)))),
        ("'index' must lie in \\(4, 2, 2\\)", lambda net, x: explained(net, x, dtd.Unit("0", index=(0, 9)))),
        ("must be one of the 3 axes of layer '0'; found 'a'", lambda n, x: explained(n, x, dtd.Unit("0", 0, axis="a"))),
        ("'threshold' must be from 0 to 1", lambda net, x: explained(net, x).edges("0", "3", threshold="a")),
        ("'count' must be a positive integer; found -1", lambda n, x: dtd.concepts(n, x, "1", 0, PLAN).samples(0, -1)),
        ("Nodes lie on axis a", lambda net, x: dtd.walks(net, x[:1], 0, PLAN, layers=["1"], axis="a")),
        ("'reference' must be a number or a tensor that", lambda n, x: dtd.second_order(n, x, 0, torch.ones(5))),
        ("Difference\\(0, against=2.5\\) needs classes from 0 to 2", lambda n, x: explained(n, x, dtd.Difference(0, 2.5))),
        ("needs classes from 0 to 2", lambda net, x: explained(net, x, dtd.Difference("0"))),
        ("needs classes from 0 to 2", lambda net, x: explained(net, x, dtd.LogOdds(None))),
    ],
)
def test_a_channel_a_place_or_a_number_that_does_not_fit(traced, message, asked):
    with pytest.raises(dtd.InputError, match=message):
        asked(*traced)
    assert explained(traced[0], traced[1], dtd.Difference(0, {1, 2})).output.shape == (2, 1)


def test_an_input_that_there_is_not():
    class Two(nn.Module):
        def forward(self, a, b):
            return (2 * a + b).sum(1, keepdim=True)

    given = {"a": torch.ones(2, 3), "b": torch.ones(2, 3)}
    net = dtd.trace(Two(), given)
    for inputs in ({"a": given["a"], "c": given["b"]}, {"a": given["a"]}):
        with pytest.raises(dtd.InputError, match="The inputs must be a, b, as traced \\(missing: b"):
            dtd.explain(net, inputs, 0)
    with pytest.raises(dtd.InputError, match="The network has no layer 'c'. The layers are scale, sum, sum_over_axes"):
        dtd.explain(net, given, 0).edges("c", "sum")
