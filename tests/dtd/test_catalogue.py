"""The catalogue: what a choice takes and refuses, how it prints, and that whatever names a rule reads it there."""

from fractions import Fraction
from pathlib import Path

import pytest
import torch
import yaml

import dtd
from dtd.plans.rules import catalogue, choose
from dtd.plans.rules.rule import REQUIRED, parameters_of

PLANS = Path(__file__).parents[2] / "conf" / "plan"


@pytest.mark.parametrize("name", catalogue)
def test_both_sides_take_the_same_parameters(name):
    rule = catalogue[name]
    assert parameters_of(rule.roots) == parameters_of(rule.formula) == rule.parameters
    given = {"pattern": torch.ones(1, 2)} if name == "pattern" else {}
    for bias in ("fixed", "neuron", "distribute"):
        strategy, formula = rule.derived(bias, **given), rule.explicit(bias, **given)
        assert {search.bias for _, search in strategy.searches()} == {formula.bias} == {bias}


@pytest.mark.parametrize(
    ("name", "parameters", "match"),
    [
        ("lrp0", {"epsilon": 0.5}, "Rule 'lrp0' has no parameter 'epsilon'; it has none but bias"),
        ("zplus_signed", {"sign": -1}, "no parameter 'sign'"),
        ("gamma", {"gamma": "x"}, "Rule 'gamma' cannot take its parameters: 'gamma' must be >= 0; found x"),
        ("gamma", {"gamma": -1.0}, "'gamma' must be >= 0; found -1.0"),
        ("gamma", {"gamma": True}, "'gamma' must be >= 0; found True"),
        ("gamma", {"gamma": float("nan")}, "'gamma' must be >= 0; found nan"),
        ("gamma", {"gamma": float("inf")}, "'gamma' must be >= 0; found inf"),
        ("gamma", {"gamma": [0.1, 0.2]}, "'gamma' must be >= 0"),
        ("gamma", {"gamma": 1j}, "'gamma' must be >= 0; found 1j"),
        ("gamma", {"gamma": {"a": 0.1, "b": -0.1}}, "its parameters of layer 'b': 'gamma' must be >= 0; found -0.1"),
        ("gamma_signed", {"gamma": None}, "'gamma' must be >= 0; found None"),
        ("epsilon", {"epsilon": -1e-6}, "must be >= 0 or a function; found -1e-06"),
        ("epsilon", {"epsilon": {"a": "b"}}, "of layer 'a'.*must be >= 0 or a function; found b"),
        ("alphabeta", {"alpha": 2.0, "beta": 0.5}, "'alpha - beta' must be 1; found 1.5"),
        ("alphabeta", {"alpha": "2"}, "'alpha' must be a finite number; found 2"),
        ("zbox", {"low": 0.0}, "'low and high' must be given together"),
        ("zbox", {"low": "a", "high": "b"}, "'low' must be a finite number; found a"),
        ("pattern", {}, "Rule 'pattern' needs 'pattern'"),
        ("pattern", {"pattern": 3.0}, "'pattern' must be a tensor of the layer's weight shape; found 3.0"),
    ],
)
def test_parameters_are_checked_when_chosen(name, parameters, match):
    with pytest.raises(dtd.InputError, match=match):
        choose(name, **parameters)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dtd.lrp.LRPAlphaBeta(alpha=3.0, beta=1.0),
        lambda: dtd.lrp.LRPGamma(gamma=-0.5),
        lambda: dtd.lrp.LRPSignedGamma(gamma="x"),
        lambda: dtd.lrp.LRPEpsilon(epsilon=-1.0),
        lambda: dtd.lrp.LRPZero("zero"),
        lambda: dtd.lrp.LRPZBox(low=0.0),
        lambda: dtd.Gamma(-0.5),
        lambda: dtd.SignedGamma("x"),
        lambda: dtd.Ray(dtd.Activations(), damping="x"),
        lambda: dtd.Ray("activations"),
        lambda: dtd.Jitter(dtd.ZPlus(), spread=-1.0),
    ],
)
def test_explicit_rules_and_searches_refuse_the_same_on_their_own(make):
    with pytest.raises(dtd.InputError, match="must be"):
        make()


def test_a_box_with_its_bounds_exchanged_is_refused_when_chosen():
    with pytest.raises(dtd.DomainError, match="low <= high"):
        choose("zbox", low=1.0, high=0.0)


def test_numbers_of_other_kinds_are_taken():
    for gamma in (0, Fraction(1, 4), torch.tensor(0.25)):
        assert choose("gamma", gamma=gamma).rule is catalogue["gamma"]


def test_lrp0_has_a_formula_of_its_own():
    """Not ε at some value: w = (1, −1), a = (2, 2 − 1e-12) would be damped by any ε."""
    assert not hasattr(catalogue["lrp0"].explicit(), "epsilon")
    assert catalogue["epsilon"].explicit().epsilon == catalogue["epsilon"].derived().damping == 1e-6


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (catalogue["gamma"], "rule('gamma', γ=0.25)"),
        (choose("gamma"), "rule('gamma', γ=0.25, bias='fixed')"),
        (choose("alphabeta", "neuron", alpha=3), "rule('alphabeta', α=3, bias='neuron')"),
        (choose("gamma", gamma={"a": 0.1, "b": 0.2}), "rule('gamma', γ={'a': 0.1, 'b': 0.2}, bias='fixed')"),
        (choose("pattern", pattern=torch.ones(3, 4)), "rule('pattern', pattern=tensor(3, 4), bias='fixed')"),
        (choose("epsilon", epsilon=dtd.presets.RelativeEpsilon()), "ε=RelativeEpsilon(factor=0.25)"),
        (dtd.Gamma(), "Gamma(gamma=0.25)"),
        (
            dtd.ToBox(torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)),
            "ToBox(low=tensor(1, 3, 1, 1), high=tensor(1, 3, 1, 1))",
        ),
        (dtd.Pattern(torch.ones(3, 4)), "Pattern(tensor(3, 4))"),
        (dtd.Ray(dtd.ZPlus(), "neuron", 0.1), "Ray(ZPlus(), bias='neuron', damping=0.1)"),
        (dtd.TrainingFree(dtd.Ray(dtd.ZPlus())), "TrainingFree(Ray(ZPlus()))"),
        (dtd.jittered(dtd.ZPlus()), "Average((Ray(Jitter(ZPlus(), spread=1, seed=0)), … 16 in all))"),
        (dtd.Reference(torch.ones(2)), "Reference(point=tensor(2))"),
        (dtd.lrp.LRPGamma(), "LRPGamma(bias='fixed', gamma=0.25)"),
        (dtd.MaxAsAverage(choose("lrp0")), "MaxAsAverage(rule('lrp0', bias='fixed'))"),
        (dtd.Box(torch.zeros(2), torch.ones(2)), "Box(tensor(2), tensor(2))"),
    ],
)
def test_what_is_printed_is_short(made, text):
    assert text in repr(made) and "0x" not in repr(made)


def test_a_direction_of_ones_own_prints_by_its_name_and_what_was_chosen():
    class Own(dtd.Direction):
        def factors(self, domain):
            return ()

    assert repr(dtd.Ray(Own())) == "Ray(Own())"


@pytest.mark.parametrize("name", catalogue)
def test_every_rule_has_a_config_with_parameters_that_it_takes(name):
    config = yaml.safe_load((PLANS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert (config["name"], config["rule"]) == (name, name)
    assert set(config.get("parameters", {})) <= set(catalogue[name].parameters)
    assert REQUIRED not in [catalogue[name].parameters[key] for key in config.get("parameters", {})]
