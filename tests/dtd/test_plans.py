"""Plans, selectors, presets and patterns."""

import pickle
from copy import deepcopy

import pytest
import torch
from torch import nn

import dtd
from dtd import presets, where
from dtd.plans.rules import choose
from tests.models import model_and_input


def convolutional():
    torch.manual_seed(0)
    return (
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 8),
            nn.ReLU(),
            nn.Linear(8, 3),
        )
        .double()
        .eval()
    )


@pytest.fixture
def network():
    return dtd.trace(convolutional(), torch.rand(2, 1, 4, 4, dtype=torch.double), domain=dtd.Box(0.0, 1.0))


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        (where.every, ["0", "2", "6", "8"]),
        (where.first, ["0"]),
        (where.last, ["8"]),
        (where.index(1), ["2"]),
        (where.index(-2), ["6"]),
        (where.depth(1, 3), ["2", "6"]),
        (where.depth(-2), ["6", "8"]),
        (where.fraction(0.5), ["6", "8"]),
        (where.name("[02]"), ["0", "2"]),
        (where.kind("dense", "max_pool"), ["4", "6", "8"]),
        (where.domain(dtd.Box), ["0"]),
        (where.domain(dtd.NonNegative) & where.dense, ["6", "8"]),
        (where.first | where.last, ["0", "8"]),
        (~where.convolutions, ["6", "8"]),
    ],
)
def test_selectors(network, selector, names):
    assert [layer.name for layer in network.layers if selector.matches(layer, network)] == names


def test_the_first_matching_entry_speaks_and_relu_decides_the_model(network):
    plan = dtd.Plan([(where.last, choose("lrp0")), ("*", choose("gamma", gamma=0.5))])
    models = dict(zip([layer.name for layer in network.layers], plan.bind(network), strict=True))
    assert isinstance(models["0"], dtd.TrainingFree) and models["0"].root == dtd.Ray(dtd.Gamma(0.5))
    assert isinstance(models["8"], dtd.Linear) and models["8"].root == dtd.Ray(dtd.Activations())


def test_deep_taylor_2017_assigns_itself(network):
    models = [m for m, layer in zip(presets.deep_taylor_2017().bind(network), network.layers, strict=True) if layer.weighted]
    assert [type(model.root.direction).__name__ for model in models] == ["ToBox", "ZPlus", "ZPlus", "ZPlus"]
    real = dtd.trace(nn.Linear(3, 2).double(), torch.rand(2, 3, dtype=torch.double))
    assert isinstance(presets.deep_taylor_2017().bind(real)[0].root.direction, dtd.Weights)


PRESETS = [
    "deep_taylor_2017",
    "lrp_overview_2019",
    "epsilon_plus",
    "epsilon_plus_flat",
    "epsilon_alpha2_beta1",
    "epsilon_gamma_box",
]


class Branches(nn.Module):
    """Two branches that read the input, a shortcut around one of them, and a head."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 1)
        self.deeper, self.beside, self.head = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(3, 2, 1), nn.Linear(32, 3)
        self.pool = nn.MaxPool2d(1)

    def forward(self, x):
        left = self.pool(torch.relu(self.left(x)))
        scaled = x * 2
        right = torch.relu(self.deeper(torch.relu(self.right(scaled))))
        return self.head(torch.relu(self.beside(torch.cat([left + right, scaled], 1))).flatten(1))


@pytest.fixture
def branches():
    torch.manual_seed(0)
    return dtd.trace(Branches().double().eval(), torch.rand(2, 1, 4, 4, dtype=torch.double), domain=dtd.Box(0.0, 1.0))


def named(network, selector):
    return {layer.name for layer in network.layers if selector.matches(layer, network)}


def test_first_is_every_layer_that_reads_nothing_made_by_another_layer_with_weights(branches):
    """``beside`` reads the input beside what others have made of it, and so is not first."""
    assert named(branches, where.first) == {"left", "right"}
    assert named(branches, where.kind("max_pool") & where.first) == {"pool"}
    assert named(branches, ~where.first) == {"deeper", "beside", "head"}


def test_a_presets_first_reaches_both_branches(branches):
    plan = presets.epsilon_gamma_box()
    models = dict(zip([layer.name for layer in branches.layers], plan.bind(branches), strict=True))
    directions = {name: type(models[name].root.direction).__name__ for name in ("left", "right", "deeper", "beside")}
    assert directions == {"left": "ToBox", "right": "ToBox", "deeper": "SignedGamma", "beside": "SignedGamma"}


def test_an_entry_behind_one_that_matches_all_it_matches_is_an_error(network):
    plan = [(where.every, choose("lrp0")), (where.first, choose("gamma"))]
    with pytest.raises(dtd.PlanError, match=r"speak for no layer, since earlier entries match every .*: first\. Put them"):
        dtd.Plan(plan).bind(network)
    dtd.Plan([plan[1], plan[0]]).bind(network)
    dtd.Plan([plan[0], dtd.Entry(*plan[1], optional=True)]).bind(network)
    partly = [(where.first, choose("lrp0")), (where.depth(0, 2), choose("gamma")), (where.depth(1), choose("lrp0"))]
    dtd.Plan(partly).bind(network)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: dtd.Plan({"*": choose("lrp0")}), r"made of a list of entries .*; found dict"),
        (lambda: dtd.Plan("gamma"), r"Plan.uniform\('gamma'\); found str"),
        (lambda: dtd.Plan(choose("gamma")), "found Choice"),
        (lambda: dtd.Plan([choose("gamma")]), r"a pair \(where, model\) or an Entry; found rule\('gamma'"),
        (lambda: dtd.Plan([("*",)]), "a pair"),
        (lambda: dtd.Plan([("*", "gamma")]), "model must be a relevance model.*; found 'gamma'"),
        (lambda: dtd.Plan([("*", dtd.Gamma())]), r"model must be a relevance model.*; found Gamma\(gamma=0.25\)"),
        (lambda: dtd.Plan([(3, choose("gamma"))]), "starts with a selector of dtd.where or a name glob; found 3"),
        (lambda: dtd.Plan([("*", choose("gamma"), "yes")]), "'optional', must be True or False; found 'yes'"),
        (lambda: where.depth(0.5), "depth.* needs two whole numbers"),
        (lambda: where.fraction("a"), "fraction.* needs two numbers"),
        (lambda: where.kind(), "kind.* needs one or more kinds"),
        (lambda: where.name(3), "name.* needs a glob"),
        (lambda: where.domain(dtd.Box(0.0, 1.0)), r"domain\(type\) needs a class of domains .*; found Box"),
    ],
)
def test_plans_of_a_wrong_shape_say_what_is_right(made, match):
    with pytest.raises(dtd.PlanError, match=match):
        made()


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (where.every, "every"),
        (where.first, "first"),
        (where.last, "last"),
        (where.index(2), "index(2)"),
        (where.index(-2), "index(-2)"),
        (where.depth(-2), "depth(-2)"),
        (where.depth(7, 13), "depth(7, 13)"),
        (where.fraction(0, 7 / 16), "fraction(0, 0.4375)"),
        (where.kind("dense") & where.first, "kind('dense') & first"),
        (where.name("a*") & (where.first | ~where.last), "name('a*') & (first | ~last)"),
        (~(where.domain(dtd.Box) & where.first), "~(domain(Box) & first)"),
    ],
)
def test_selectors_print_as_they_are_written(network, selector, text):
    assert repr(selector) == text
    read = eval(text, {"Box": dtd.Box, **vars(where)})
    assert named(network, read) == named(network, selector)


def test_a_plan_prints_its_entries_and_what_each_layer_of_a_network_gets(network):
    plan = dtd.Plan([(where.first, choose("zbox")), ("*", choose("gamma", "neuron"))])
    assert str(plan) == (
        "Plan (derived)\n  first      rule('zbox', bias='fixed')\n  name('*')  rule('gamma', γ=0.25, bias='neuron')"
    )
    lines = plan.table(network).splitlines()
    assert [line.split()[0] for line in lines] == ["layer", *(layer.name for layer in network.layers)]
    assert "rule('zbox', bias='fixed')" in lines[1] and lines[1].endswith("fixed")
    assert "(default)" in lines[2] and lines[-1].endswith("neuron")
    assert str(plan.explicit()).startswith("Plan (explicit rules)")


def plans_to_send():
    """One plan for each kind of thing that an entry may hold."""
    ray = dtd.Ray(dtd.Contributions(1), "neuron", presets.RelativeEpsilon(0.1))
    return {
        **{name: getattr(presets, name)() for name in PRESETS},
        **{f"{name}, explicit": getattr(presets, name)().explicit() for name in PRESETS},
        "selectors": dtd.Plan(
            [
                (where.domain(dtd.Box) & (where.first | where.name("zz")), choose("zbox", low=0.0, high=1.0)),
                (~where.dense & where.fraction(0, 0.5), dtd.TrainingFree(ray)),
                dtd.Entry(where.kind("max_pool"), dtd.MaxAsAverage(choose("epsilon"))),
                (where.every, choose("gamma", gamma={"2": 0.1, "6": 0.2, "8": 0.3})),
            ]
        ),
        "roots": dtd.Plan(
            [
                (where.index(0), dtd.Nearest(torch.ones(1, 1, 4, 4, dtype=torch.double))),
                (where.index(1), dtd.jittered(dtd.SignedGamma(), 2)),
                (where.index(2), dtd.Mix(((2.0, dtd.Ray(dtd.ZPlus())), (-1.0, dtd.Reference(0.5))))),
                (where.last, dtd.Explicit(dtd.Ray(dtd.Toward(torch.ones(8, dtype=torch.double))))),
            ]
        ),
    }


@pytest.mark.parametrize("name", plans_to_send())
@pytest.mark.parametrize("send", [lambda plan: pickle.loads(pickle.dumps(plan)), deepcopy], ids=["pickle", "deepcopy"])
def test_plans_arrive_as_they_were_sent(network, name, send):
    plan = plans_to_send()[name]
    sent, x = send(plan), torch.rand(2, 1, 4, 4, dtype=torch.double)
    assert repr(sent) == repr(plan) and (name == "roots" or sent == plan)
    assert torch.equal(dtd.explain(network, x, 0, sent).relevance, dtd.explain(network, x, 0, plan).relevance)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["residual", "plain"])
def test_presets_run_and_agree_with_their_formulas(network, preset, name):
    x = torch.rand(2, 1, 4, 4, dtype=torch.double)
    if name == "residual":
        model, x = model_and_input(name)
        network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
    for bias in ("fixed", "neuron"):
        plan = getattr(presets, preset)(bias=bias)
        out = dtd.explain(network, x, 0, plan)
        formula = dtd.explain(network, x, 0, plan.explicit())
        torch.testing.assert_close(out.relevance, formula.relevance, rtol=1e-8, atol=1e-10)
        kept = sum(getattr(r.balance, p) for r in out.layers.values() for p in ("bias", "zeroth", "remainder"))
        torch.testing.assert_close(out.initial.sum(1), out.relevance.flatten(1).sum(1) + kept, rtol=1e-8, atol=1e-9)


def test_uniform_is_the_preset_of_the_same_name(network):
    assert presets.uniform("gamma", gamma=0.1) == dtd.Plan.uniform("gamma", gamma=0.1)


def test_the_overviews_split_of_vgg16():
    """7 convolutions under γ (the first of them under z^B), 6 under ε, 3 dense layers under LRP-0."""
    layers = [nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(16)]
    network = dtd.trace(nn.Sequential(*layers).eval(), torch.rand(2, 2), domain=dtd.Box(0.0, 1.0))
    weighted = {layer.name for layer in network.weighted}
    models = [
        m
        for layer, m in zip(network.layers, presets.lrp_overview_2019().bind(network), strict=True)
        if layer.name in weighted
    ]
    kinds = ["ToBox"] + ["Gamma"] * 6 + ["Activations"] * 9
    assert [type(m.root.direction).__name__ for m in models] == kinds
    assert [bool(m.root.damping) for m in models] == [False] * 7 + [True] * 6 + [False] * 3


def test_a_mapping_gives_each_layer_its_own_parameter(network):
    gammas = {layer.name: 0.1 * i for i, layer in enumerate(network.weighted)}
    models = [m for m in dtd.Plan.uniform("gamma", gamma=gammas).bind(network) if isinstance(m, dtd.RelevanceModel)]
    assert [m.root.direction.gamma for m in models] == list(gammas.values())
    with pytest.raises(dtd.InputError, match="'gamma' of rule 'gamma' has no entry for layer '2'"):
        dtd.Plan.uniform("gamma", gamma={"0": 0.1}).bind(network)


@pytest.mark.parametrize("regime", ["positive", "linear"])
def test_patterns_are_the_estimators_by_hand(network, regime):
    """Dense layer: ``E₊[a z] − E₊[a] E[z]`` up to length; convolution: the same over positions, by unfolding."""
    x = torch.rand(40, 1, 4, 4, dtype=torch.double)
    patterns = dtd.estimate_patterns(network, [x[:25], x[25:]], regime)
    model = convolutional()
    for name, a, z in (("0", x, model[0](x)), ("6", model[:6](x), model[:7](x))):
        if name == "0":
            a = nn.functional.unfold(a, 3, padding=1).transpose(1, 2).flatten(0, 1)
            z = z.flatten(2).transpose(1, 2).flatten(0, 1)
        for k in range(z.shape[1]):
            used = z[:, k] > 0 if regime == "positive" else torch.ones(len(z), dtype=torch.bool)
            found = patterns[name][k].flatten()
            if not used.any():
                assert not found.any()
                continue
            by_hand = (a[used] * z[used, k : k + 1]).mean(0) - a[used].mean(0) * z[:, k].mean()
            torch.testing.assert_close(found / found.norm(), (by_hand / by_hand.norm()).detach(), rtol=1e-8, atol=1e-10)


def test_patterns_need_data_that_can_be_read_twice(network):
    with pytest.raises(dtd.InputError, match="read twice"):
        dtd.estimate_patterns(network, iter([torch.rand(2, 1, 4, 4)]))
    with pytest.raises(dtd.InputError, match="'regime' must be 'positive' or 'linear'"):
        dtd.estimate_patterns(network, [], "cubic")


def test_presets_for_attention_have_an_explicit_form():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.norm = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), nn.LayerNorm(4)

        def forward(self, x):
            return self.norm(x + (self.q(x) @ self.k(x).mT).softmax(-1) @ self.v(x)).flatten(1)

    torch.manual_seed(0)
    x = torch.randn(2, 3, 4).double()
    network = dtd.trace(Block().double(), x)
    for plan in (presets.attnlrp(), presets.attnlrp(gamma=0.25), presets.cp_lrp(), presets.transformers_2022()):
        derived, explicit = (dtd.explain(network, x, 1, p).relevance for p in (plan, plan.explicit()))
        torch.testing.assert_close(derived, explicit, rtol=1e-9, atol=1e-11)
