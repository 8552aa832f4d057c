"""Plans, selectors, presets and patterns."""

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
