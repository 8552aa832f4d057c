"""Networks, explanations and plans are sent to other processes: copies say the same, and all of them print in short."""

import re

import pytest
import torch
from sklearn.linear_model import LinearRegression

import dtd
from dtd import presets
from tests.dtd.test_without_fast import NETWORKS, parts
from tests.helpers import SENT
from tests.models import randomised


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("send", sorted(SENT))
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_copies_of_a_network_its_plan_and_its_explanation_say_the_same(name, send):
    make, shapes = NETWORKS[name]
    generator = torch.Generator().manual_seed(5)
    inputs = tuple(torch.rand(2, *shape, generator=generator, dtype=torch.double) for shape in shapes)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    network = dtd.trace(randomised(make()), inputs)
    plan = presets.recommended(network)
    out = dtd.explain(network, inputs, 1, plan)
    sent_network, sent_plan, sent = map(SENT[send], (network, plan, out))
    again = dtd.explain(sent_network, inputs, 1, sent_plan)
    for found in (sent, again):
        assert all(map(torch.equal, parts(found.relevance), parts(out.relevance)))
    for layer, record in out.layers.items():
        assert all(map(torch.equal, sent.layers[layer].balance.parts(), record.balance.parts()))
    for value in (sent_plan, sent, *sent_network.layers):
        assert not re.search(r"0x[0-9a-f]{6}|tensor\(\[", repr(value))


def unit() -> tuple[dtd.Network, torch.Tensor]:
    """A unit above two others, all on a box."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).double()
    x = torch.ones(1, 2, dtype=torch.double)
    return dtd.trace(randomised(model), x, dtd.Box(0.0, 1.0)), x


def instances() -> list[object]:
    """One object of every public class that can be made without data."""
    network, x = unit()
    out = dtd.explain(network, x, 0, dtd.Plan.uniform("lrp0"))
    w2, one, pattern = dtd.Ray(dtd.Weights()), torch.ones(1, 1), torch.ones(1, 2)
    directions = [
        dtd.Activations(),
        dtd.Contributions(-1),
        dtd.Flat(),
        dtd.Gamma(),
        dtd.Jitter(dtd.ZPlus()),
        dtd.SignedGamma(),
    ]
    directions += [dtd.Pattern(pattern), dtd.ToBox(pattern, 2.0), dtd.Toward(pattern), dtd.Weights(), dtd.ZPlus()]
    strategies = [w2, dtd.Average((w2, w2)), dtd.Explicit(w2), dtd.Mix(((1.0, w2),)), dtd.Nearest(), dtd.Reference(pattern)]
    models = [dtd.Constant(), dtd.Exact(dtd.Weights()), dtd.Follow(), dtd.Generic(pattern), dtd.HeldScale(), dtd.Identity()]
    models += [
        dtd.Linear(w2),
        dtd.MatMulShares(),
        dtd.MaxAsAverage(),
        dtd.ProductShares(),
        dtd.SoftmaxTangent(),
        dtd.Tangent(),
    ]
    models += [dtd.TrainingFree(w2), dtd.MinMax(one[None], one[None], one)]
    rest = [dtd.Box(pattern, 2.0), dtd.NonNegative(), dtd.Real(), dtd.Training(), dtd.Factor(abs, abs), out, network]
    rest += [dtd.Root(pattern, one, one), dtd.TaylorTerms(pattern, one, one, one), out.layers["0"].balance]
    rest += [dtd.Plan.uniform("gamma"), dtd.Entry("*", w2), dtd.MeanExplanation(pattern, pattern, 2)]
    rest += [dtd.StaleError("x"), dtd.UnsupportedOp("aten.sort", "sorter", "Leave it out.")]
    return [*directions, *strategies, *models, *rest, *hidden(network, x)]


def hidden(network: dtd.Network, x: torch.Tensor) -> list[object]:
    """Objects of hidden layers, of pairs, of walks and of estimators."""
    out = dtd.explain(network, x, 0, at=["1"])
    pairs, subspaces = dtd.pairs(network, x, x), dtd.subspaces(network, x, "1", 0)
    targets = [dtd.Difference(0, against=1), dtd.FromReference(1.5), dtd.LogOdds(0), dtd.Unit("1", channel=0)]
    found = [out.at["1"], out.edges("1", "2"), dtd.concepts(network, x, "1", 0), subspaces, subspaces.parts[0]]
    found += [pairs, pairs.balance, dtd.Patches(2, 2), dtd.second_order(network, x, 0)]
    found += [dtd.WalkRelevance(torch.zeros(1, 2), torch.ones(1), 0.0), dtd.Walks(network, x, 0, None, ("1",), 0, 2, 4)]
    return [
        *targets,
        *found,
        dtd.SphereRoot(),
        dtd.TakeMost(),
        dtd.neuralise(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])),
    ]


ABSTRACT = {dtd.Direction, dtd.Domain, dtd.RelevanceModel, dtd.RootStrategy}


def test_every_public_class_is_looked_at():
    public = {each for each in vars(dtd).values() if isinstance(each, type) and not issubclass(each, (Exception, Warning))}
    assert public - ABSTRACT <= {type(each) for each in instances()}


@pytest.mark.parametrize("send", sorted(SENT))
@pytest.mark.parametrize("value", [pytest.param(each, id=type(each).__name__) for each in instances()])
def test_public_objects_print_in_short_and_copies_print_alike(value, send):
    printed = repr(value)
    assert not re.search(r"0x[0-9a-f]{6}|tensor\(\[|object at", printed) and printed.count("\n") < 8
    assert repr(SENT[send](value)) == printed
