"""Relevance of hidden layers: read on the way down, by prepared passes and by definition, at the cost of keeping it."""

import copy
import pickle

import pytest
import torch
from torch import nn

import dtd
from dtd.explaining.hidden import Places
from tests.dtd.test_passes import PLANS, Counting, network
from tests.dtd.test_without_fast import NETWORKS, parts
from tests.dtd.test_without_fast import PLANS as RULES
from tests.helpers import program_of, saved_bytes
from tests.models import MODELS, model_and_input, randomised

close = torch.testing.assert_close


def case(name):
    """A network with all layers' names, and inputs."""
    if name in MODELS:
        model, x = model_and_input(name)
        return dtd.trace(model, x, domain=dtd.Box(0.0, 1.0)), x
    make, shapes = NETWORKS[name]
    generator = torch.Generator().manual_seed(5)
    inputs = tuple(torch.rand(3, *shape, generator=generator, dtype=torch.double) for shape in shapes)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    return dtd.trace(randomised(make()), inputs), inputs


CASES = (*MODELS, *NETWORKS)


def all_of(hidden):
    """All tensors of a hidden layer's relevance."""
    return hidden.output, hidden.passed, *hidden.inputs


def assert_alike(found, expected, largest):
    """The same hidden relevance, within rounding of the largest one."""
    assert list(found) == list(expected)
    for name, hidden in found.items():
        assert hidden.modules == expected[name].modules
        for one, other in zip(all_of(hidden), all_of(expected[name]), strict=True):
            assert one.shape == other.shape and (one - other).abs().max() <= 1e-9 * largest, name


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("plan", sorted(RULES))
@pytest.mark.parametrize("name", CASES)
def test_relevance_of_every_layer_is_that_of_the_definition(name, plan):
    net, x = case(name)
    try:
        RULES[plan] and RULES[plan].bind(net)
    except dtd.PlanError:
        pytest.skip("the plan has no rule for this network")
    names = [layer.name for layer in net.layers]
    found, expected = (dtd.explain(net, x, 1, RULES[plan], at=names, fast=fast) for fast in (True, False))
    assert list(found.at) == names
    largest = max(hidden.output.abs().max() for hidden in expected.at.values())
    assert_alike(found.at, expected.at, largest)
    for layer, hidden in zip(net.layers, expected.at.values(), strict=True):
        balance = expected.layers[layer.name].balance
        close(hidden.output.flatten(1).sum(1), balance.relevance, rtol=1e-9, atol=1e-9 * float(largest))
        close(sum(part.flatten(1).sum(1) for part in hidden.inputs), balance.first, rtol=1e-9, atol=1e-9 * float(largest))
    plain = dtd.explain(net, x, 1, RULES[plan])
    for one, other in zip(parts(found.relevance), parts(plain.relevance), strict=True):
        close(one, other, rtol=1e-10, atol=1e-12 * float(largest))


@pytest.mark.parametrize("rule", sorted(PLANS))
def test_reading_costs_no_pass_and_saves_at_most_what_is_read(rule):
    net, (plan, expected) = network(), PLANS[rule]
    x, names = torch.rand(2, 3, 8, 8), [layer.name for layer in net.layers]
    dtd.explain(net, x, 0, plan, at=names)
    with Counting() as counting:
        out = dtd.explain(net, x, 0, plan, at=names)
    assert counting.passes == expected and set(out.at) == set(names)
    plain = program_of(net, plan)
    with torch.no_grad():
        before = saved_bytes(plain.forward({-1: x}))
        for name in names:
            read = Places([name]).passage(net.graph, 2)
            more = saved_bytes(plain.reading(read).forward({-1: x})) - before
            assert more <= sum(map(lambda t: 4 * t.numel(), (out.at[name].output, *out.at[name].inputs))), name
    assert plain.reading(Places().passage(net.graph, 2)).kept == plain.kept


@pytest.mark.parametrize("through", [{}, {"3": [0, 2]}, {"3": torch.rand(7, 1, 1, 1)}, {"5": torch.rand(7, 20, 8, 8)}])
def test_parts_and_micro_batches_change_nothing(through, monkeypatch):
    net, plan, x = network(torch.double), PLANS["gamma"][0], torch.rand(7, 3, 8, 8, dtype=torch.double)
    names = [layer.name for layer in net.layers]
    through = {names[int(key) // 2]: value for key, value in through.items()}
    whole = dtd.explain(net, x, 1, plan, at=names, through=through)
    small = dtd.explain(net, x, 1, plan, at=names, through=through, memory=200_000)
    monkeypatch.setattr("dtd.fast.program.LARGE_TENSOR", 3 * 20 * 64 * 8)
    batches = dtd.explain(net, x, 1, plan, at=names, through=through)
    largest = max(hidden.output.abs().max() for hidden in whole.at.values())
    for other in (small, batches):
        assert_alike(other.at, whole.at, largest)
        close(other.relevance, whole.relevance, rtol=1e-9, atol=1e-12)
    assert list(small.layers) == list(whole.layers)


def test_every_target_has_its_own_and_it_is_the_caller_s():
    net, x = case("residual")
    plan = dtd.Plan.uniform("zplus_signed")
    each = list(dtd.explain_each(net, x, [0, 1, 2], plan, at=["relu", "fc"]))
    for target, found in enumerate(each):
        alone = dtd.explain(net, x, target, plan, at=["relu", "fc"])
        assert_alike(found.at, alone.at, 1.0)
        relevance = found.relevance.clone()
        for hidden in found.at.values():
            for tensor in all_of(hidden):
                tensor.zero_()
        assert torch.equal(found.relevance, relevance) and bool(found.initial.abs().sum() > 0)


def test_other_relevance_models_are_read_too():
    model = randomised(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)))
    x = torch.rand(2, 3, dtype=torch.double)
    net = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    for lower in (dtd.Exact(dtd.Activations()), dtd.Nearest(), dtd.Plan.uniform("zplus").explicit().entries[0].model):
        plan = dtd.Plan([("0", lower), (dtd.where.every, dtd.Ray(dtd.Activations()))])
        out = dtd.explain(net, x, 0, plan, at=["*"])
        for name, hidden in out.at.items():
            close(hidden.output.flatten(1).sum(1), out.layers[name].balance.relevance)
            close(hidden.inputs[0].flatten(1).sum(1), out.layers[name].balance.first)
        close(out.at["0"].inputs[0], out.relevance)


def test_names_are_layers_globs_and_selectors_and_the_rest_is_refused():
    net, x = case("residual")
    assert list(dtd.explain(net, x, 0, at=[dtd.where.kind("relu"), "conv*"]).at) == ["conv1", "relu", "conv2", "relu@2"]
    assert dtd.explain(net, x, 0, at=["conv1"]).at["conv1"].modules == ("conv1", "bn1")
    for at, message in (
        (["bn1"], "'bn1' was folded into layer 'conv1', whose output is that of 'bn1'"),
        (["conv3"], "no layer 'conv3'. The layers are conv1, relu, conv2, sum, relu@2, pool, reshape, fc."),
        (["*3"], r"no layer '\*3'. The layers are"),
        ([dtd.where.kind("gelu")], r"kind\('gelu'\), which matches no layer. The layers are conv1"),
        ("conv1", "'at' is a list of layers' names"),
        (3, "'at' is a list of layers' names"),
    ):
        with pytest.raises(dtd.InputError, match=message):
            dtd.explain(net, x, 0, at=at)
    nested = dtd.trace(nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 1)), torch.ones(1, 2))
    with pytest.raises(dtd.InputError, match="'0' is no layer; those inside it are 0.0, 0.1, the last of them is 0.1"):
        dtd.explain(nested, torch.ones(1, 2), 0, at=["0"])


def test_it_is_sent_and_copied():
    net, x = case("residual")
    out = dtd.explain(net, x, 0, at=["conv1"], through={"conv1": 2})
    for other in (pickle.loads(pickle.dumps(out)), copy.deepcopy(out)):
        assert_alike(other.at, out.at, 1.0)
        assert torch.equal(other.layers["conv1 through"].balance.zeroth, out.layers["conv1 through"].balance.zeroth)
    assert repr(out.at["conv1"]) == (
        "HiddenRelevance(('conv1', 'bn1'), tensor(3, 4, 5, 5), tensor(3, 4, 5, 5), (tensor(3, 2, 5, 5),))"
    )
