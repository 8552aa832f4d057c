"""A rule that a layer's domain excludes is replaced, and the row says so."""

import re

import pytest
import torch
from hydra.errors import ConfigCompositionException
from torch import nn

from dtd import where
from dtd.audit import audit
from dtd.direction import Gamma
from dtd.domain import Box, Real
from dtd.explaining.explain import explain
from dtd.network import Network, trace
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.rules import catalogue, choose
from dtd.relevance import TrainingFree
from dtd.root import Nearest, Ray
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.plans import Measured, Request, check, measure, plans
from experiments.plans.preset import PRESETS
from experiments.plans.selectors import selector
from tests.models import randomised


def signed_network() -> tuple[Network, torch.Tensor, Measured]:
    """Layers that receive a box, values of both signs, and non-negative values."""
    layers = [nn.Linear(6, 8), nn.LeakyReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)]
    x = torch.rand(20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    network = trace(randomised(nn.Sequential(*layers)), x, Box(0.0, 1.0))
    return network, x, measure(network, x[:10], x)


@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
def test_zplus_gives_way_where_inputs_have_both_signs(bias):
    network, x, measured = signed_network()
    assigned = Request("zplus", bias).assign(network, measured)
    assert assigned.used == {"0": "zplus", "2": "zplus_signed (receives Real)", "4": "zplus"}
    both = [explain(network, x, 0, plan).relevance for plan in (assigned.plan, assigned.plan.explicit())]
    torch.testing.assert_close(*both, rtol=1e-10, atol=1e-12)


def test_zbox_takes_the_inferred_box_and_elsewhere_the_range_of_the_data():
    network, x, measured = signed_network()
    assigned = Request("zbox", "fixed").assign(network, measured)
    assert assigned.used["0"] == "zbox"
    assert assigned.used["2"].endswith("(range of the data)") and assigned.used["4"].startswith("zbox [0, ")
    for name, (low, high) in measured.ranges.items():
        assert low < high and (low >= 0) == network[name].domain.nonnegative
    both = [explain(network, x, 0, plan).relevance for plan in (assigned.plan, assigned.plan.explicit())]
    torch.testing.assert_close(*both, rtol=1e-10, atol=1e-12)


def test_ranges_hold_all_the_data_with_a_margin():
    network, x, measured = signed_network()
    inputs = network["0"].op.apply(x).detach()
    leaky = torch.where(inputs < 0, 0.01 * inputs, inputs)
    low, high = measured.ranges["2"]
    assert low < leaky.min() < leaky.max() < high
    span = leaky.max() - leaky.min()
    assert leaky.min() - low == pytest.approx(0.01 * span) and high - leaky.max() == pytest.approx(0.01 * span)


def test_patterns_are_those_of_the_data_in_the_asked_precision():
    network, _, measured = signed_network()
    assert all(p.shape == network[name].op.weight.shape for name, p in measured.patterns.items())
    assert {p.dtype for p in measured.to(torch.float32).patterns.values()} == {torch.float32}


MODES_OF_ITS_OWN = ("attnlrp", "cp_lrp", "neuralised", "transformers_2022")


@pytest.mark.parametrize("name", [*catalogue, *PRESETS])
def test_every_rule_and_every_preset_is_an_option_that_explains(composed, name):
    network, x, _ = signed_network()
    config = typed(composed(f"plan={name}", *(() if name in MODES_OF_ITS_OWN else ("bias=neuron",))))
    check(config)
    made = plans(config, network, (x[:10], x))
    assert list(made) == [name] and explain(network, x, 0, made[name]).relevance.isfinite().all()
    modes = {entry.model.bias for entry in made[name].entries if hasattr(entry.model, "bias")}
    assert modes == {"neuron"} or name in MODES_OF_ITS_OWN


@pytest.mark.parametrize("name", MODES_OF_ITS_OWN)
def test_a_preset_with_bias_modes_of_its_own_refuses_another(composed, name):
    with pytest.raises(ConfigError, match=f"'bias' must be null, since the preset '{name}'"):
        check(typed(composed(f"plan={name}", "bias=fixed")))


FIRST = "{where: first, rule: zbox, bias: neuron, parameters: {low: 0.0, high: 1.0}}"
SECOND = (
    "{where: {index: 1}, model: {_target_: dtd.TrainingFree, root: {_target_: dtd.Ray, direction: {_target_: dtd.Gamma}}}}"
)
OWN = f"plan.entries=[{FIRST},{SECOND},{{where: every, rule: zplus_signed}}]"


def test_a_plan_of_ones_own_is_the_same_as_in_python(composed):
    network, x, _ = signed_network()
    config = typed(composed("plan=own", "plan.name=mine", OWN, "plan.bias=distribute"))
    check(config)
    made = plans(config, network, (x[:10], x))["mine"]
    last = Entry(where.every, choose("zplus_signed", "distribute"))
    entries = [
        (where.first, choose("zbox", "neuron", low=0.0, high=1.0)),
        (where.index(1), TrainingFree(Ray(Gamma()))),
        last,
    ]
    assert made == Plan(entries)
    with pytest.raises(ConfigError, match=r"'bias' must be left out, or given in the arguments of plan.entries\[1\].model"):
        check(typed(composed("plan=own", OWN, "bias=neuron")))


def test_the_runs_bias_takes_the_place_of_every_rules_own(composed):
    network, x, _ = signed_network()
    entries = f"plan.entries=[{FIRST},{{where: every, rule: zplus_signed}}]"
    made = plans(typed(composed("plan=own", entries, "bias=distribute")), network, (x[:10], x))["own"]
    assert {entry.model.bias for entry in made.entries} == {"distribute"}


def test_the_pattern_rule_takes_the_datas_patterns_inside_a_plan_too(composed):
    network, x, measured = signed_network()
    entries = "plan.entries=[{where: every, rule: pattern}]"
    made = plans(typed(composed("plan=own", entries)), network, (x[:10], x))["own"]
    expected = Request("pattern", "fixed").assign(network, measured).plan
    torch.testing.assert_close(*(explain(network, x, 0, plan).relevance for plan in (made, expected)))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("every", where.every),
        ("convolutions", where.convolutions),
        ({"name": "features.*"}, where.name("features.*")),
        ({"index": -1}, where.last),
        ({"depth": [1, None]}, where.depth(1, None)),
        ({"fraction": [0, 0.5]}, where.fraction(0, 0.5)),
        ({"kind": "sum"}, where.kind("sum")),
        ({"kind": ["sum", "average_pool"]}, where.kind("sum", "average_pool")),
        ({"domain": "Box"}, where.domain(Box)),
        ({"not": "first"}, ~where.first),
        ({"all": ["first", {"domain": "Real"}]}, where.first & where.domain(Real)),
        ({"any": ["first", "last", "dense"]}, where.first | where.last | where.dense),
    ],
)
def test_selectors_are_those_of_python(node, expected):
    assert selector(node, "where") == expected


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("frist", r"'where' must be one of every, first, .*mapping with one of name, .*\{name: frist\}\); found frist"),
        ({"nme": "x"}, "'where' must be one of every, .*name, index, depth, fraction, kind, domain, not, all, any; found"),
        ({"name": "x", "index": 1}, "'where' must be one of every"),
        ({}, "'where' must be one of every"),
        ({"name": 0}, "'where.name' must be a glob over layer names, in quotes; found 0"),
        ({"index": "0"}, "'where.index' must be a position"),
        ({"index": True}, "'where.index' must be a position"),
        ({"depth": 3}, r"'where.depth' must be \[start, stop\]"),
        ({"fraction": [0.5, 1.5]}, r"'where.fraction' must be \[start, stop\], two shares"),
        ({"kind": [1]}, "'where.kind' must be a kind of layer"),
        ({"domain": "Bx"}, "'where.domain' must be one of Box, NonNegative, Real; found Bx"),
        ({"all": ["first", {"not": "lst"}]}, r"'where.all\[1\].not' must be one of every"),
        ({"any": []}, "'where.any' must be a list of selectors"),
    ],
)
def test_a_selector_that_there_is_not_names_those_that_there_are(node, message):
    with pytest.raises(ConfigError, match=message):
        selector(node, "where")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("", "'plan.entries' must be a list with at least one entry"),
        ("{where: every}", r"'plan.entries\[0\]' must be given either 'rule' or 'model'; found neither"),
        (
            "{where: every, rule: gamma, model: {_target_: dtd.Ray}}",
            "either 'rule' or 'model'; found 'rule' and 'model'",
        ),
        ("{where: every, rule: gama}", r"'plan.entries\[0\].rule' must be a rule of the catalogue \(lrp0, .*; found gama"),
        (
            "{where: last, rule: gamma, parameters: {gma: 1}}",
            r"'plan.entries\[0\].parameters' must be parameters of 'gamma'",
        ),
        ("{where: last, rule: gamma, parameters: {gamma: many}}", r"'plan.entries\[0\].parameters' do not fit 'gamma'"),
        ("{where: lst, rule: gamma}", r"'plan.entries\[0\].where' must be one of every"),
        ("{where: last, model: gamma}", r"'plan.entries\[0\].model' must be a mapping with '_target_'; found gamma"),
        (
            "{where: last, model: {_target_: dtd.Box, low: 0, high: 1}}",
            r"'plan.entries\[0\].model': An entry's model",
        ),
        ("{where: last, model: {_target_: os.system}}", r"'plan.entries\[0\].model._target_' must name something in dtd"),
        ("{where: last, rule: epsilon, parameters: {epsilon: {_target_: os.system}}}", "parameters.epsilon._target_' must"),
    ],
)
def test_a_wrong_entry_is_refused_before_any_work(composed, entries, message):
    with pytest.raises(ConfigError, match=message):
        check(typed(composed("plan=own", f"plan.entries=[{entries}]")))


def test_a_wrong_key_of_an_entry_names_the_valid_ones(composed):
    with pytest.raises(ConfigCompositionException) as raised:
        composed("plan=own", "plan.entries=[{where: every, rul: gamma}]")
    assert re.search("'rul' not in 'EntryConfig'", str(raised.value.__cause__))


def test_a_plan_that_does_not_fit_the_network_says_why(composed):
    network, x, _ = signed_network()
    with pytest.raises(ConfigError, match=r"'plan' \(own\) does not fit the model: These entries match no layer"):
        entries = "plan.entries=[{where: {name: '9'}, rule: gamma},{where: every, rule: lrp0}]"
        plans(typed(composed("plan=own", entries)), network, (x, x))


def test_several_plans_stand_side_by_side(composed):
    network, x, _ = signed_network()
    config = typed(composed("plan=several", "+plan@plan.parts.a=lrp0", "+plan@plan.parts.b=epsilon_plus"))
    check(config)
    assert list(plans(config, network, (x, x))) == ["a", "b"]


def test_roots_on_the_whole_line_are_accepted_behind_the_data_point_too(composed):
    network, x, _ = signed_network()
    ray, line = (plans(typed(composed("plan=lrp0", root)), network, (x, x))["lrp0"] for root in ("root=null", "root=line"))
    assert torch.equal(*(explain(network, x, 0, plan).relevance for plan in (ray, line)))
    lost = [audit(network, x, 0, plan).no_root.sum() for plan in (ray, line)]
    assert lost[0] > lost[1] == 0


def test_nearest_roots_take_the_place_of_the_plans_own(composed):
    network, x, _ = signed_network()
    made = plans(typed(composed("plan=lrp0", "root=nearest", "bias=neuron")), network, (x, x))["lrp0"]
    assert [entry.model.bias for entry in made.entries] == ["neuron"] and isinstance(made.entries[0].model, Nearest)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["plan.rule=gama"], r"'plan.rule' must be a rule of the catalogue \(lrp0, .*\); found gama"),
        (["+plan.parameters.gama=1"], r"'plan.parameters' must be parameters of 'gamma' \(gamma\); found gama"),
        (["plan.parameters.gamma=-1"], "'plan.parameters' do not fit 'gamma': 'gamma' must be >= 0; found -1"),
        (["plan=epsilon_plus", "plan.preset=plus"], "'plan.preset' must be one of .*deep_taylor_2017, "),
        (["plan=epsilon_plus", "+plan.parameters.eps=1"], r"must be parameters of 'epsilon_plus' \(epsilon\); found eps"),
    ],
)
def test_a_plan_that_there_is_not_is_refused(composed, overrides, message):
    with pytest.raises(ConfigError, match=message):
        check(typed(composed(*overrides)))
