"""Edge cases, unit by unit and by exact values: z = 0, empty parts, corners of the box, ties."""

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.peers.libraries import TINY, by_captum, by_zennit, captum_rules, zennit_rules

pytestmark = pytest.mark.peers

ONE = torch.ones(1, 1, dtype=torch.double)


def unit(weights: list[float], bias: float = 0.0) -> nn.Sequential:
    """One unit with these weights."""
    linear = nn.Linear(len(weights), 1).double()
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([weights]))
        linear.bias.fill_(bias)
    return nn.Sequential(linear).eval()


def explain(model: nn.Module, x: Tensor, rule: str, bias: str = "neuron", **parameters: float) -> dtd.Explanation:
    return dtd.explain(dtd.trace(model, x), x, ONE, dtd.Plan.uniform(rule, bias, **parameters))


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.double)


def close(found: Tensor, *expected: float) -> bool:
    return torch.allclose(found.flatten(), row(*expected)[0], rtol=0, atol=1e-9)


def test_epsilon_at_zero_counts_as_positive_everywhere():
    """sign(0) = +1: R_j = a_j w_j / ε. In captum a unit with z = 0 receives relevance only from its identity rule."""
    model, x = unit([1, -1]), row(1, 1)
    out = explain(model, x, "epsilon", epsilon=0.1)
    assert close(out.relevance, 10, -10) and float(out.layers["0"].balance.zeroth) == 1
    assert close(by_zennit(model, x, ONE, zennit_rules.Epsilon(0.1)), 10, -10)
    deeper = nn.Sequential(*model, *unit([1], 1))
    first, second = captum_rules.EpsilonRule(0.1), captum_rules.IdentityRule(TINY)
    rules = iter((first, second))
    assert close(by_captum(deeper, x, 0, lambda: next(rules)), 10, -10)


def test_lrp0_at_zero_has_no_root():
    """dtd hands nothing down and reports it; zennit divides by zero."""
    model, x = unit([1, -1]), row(1, 1)
    out = explain(model, x, "lrp0")
    assert close(out.relevance, 0, 0) and float(out.layers["0"].balance.zeroth) == 1
    found = by_zennit(model, x, ONE, zennit_rules.Epsilon(0.0))
    assert found.isinf().all() and found.sign().tolist() == [[1, -1]]


def test_generalised_gamma_at_zero_takes_the_negative_side_in_dtd_and_nothing_in_zennit():
    model, x = unit([1, -1]), row(1, 1)
    assert close(explain(model, x, "gamma_signed", gamma=0.25).relevance, -4, 5)
    assert close(by_zennit(model, x, ONE, zennit_rules.Gamma(0.25, TINY)), 0, 0)


@pytest.mark.parametrize(("rule", "hook"), [("zplus_signed", zennit_rules.ZPlus), ("wsquare", zennit_rules.WSquare)])
def test_units_below_zero_receive_and_hand_down_alike(rule, hook):
    """z = −1.75: neither rule looks at z, here or in zennit; the relevance model of a rectified unit calls it inactive."""
    model, x = unit([1, -2], -0.75), row(1, 1)
    out = explain(model, x, rule)
    expected = {"zplus_signed": (1, 0), "wsquare": (1 / 5.5625, 4 / 5.5625)}[rule]
    assert close(out.relevance, *expected)
    assert close(by_zennit(model, x, ONE, hook(TINY)), *expected)
    rectified = nn.Sequential(*model, nn.ReLU())
    rows = dtd.audit(dtd.trace(rectified, x), x, ONE, dtd.Plan.uniform(rule, "neuron"))
    assert rows["inactive"].dropna().tolist() == [1.0]


def test_zplus_without_positive_contributions_hands_nothing_down():
    model, x = unit([-1, -2]), row(1, 1)
    out = explain(model, x, "zplus_signed")
    assert close(out.relevance, 0, 0) and float(out.layers["0"].balance.zeroth) == 1
    assert close(by_zennit(model, x, ONE, zennit_rules.ZPlus(TINY)), 0, 0)
    assert close(by_captum(model, x, 0, captum_rules.Alpha1_Beta0_Rule), 0, 0)


def test_alphabeta_with_an_empty_part_breaks_conservation_alike():
    """α2β1, nothing negative: 2 R is handed down. dtd reports the missing −R as zeroth."""
    model, x = unit([1, 3]), row(1, 1)
    out = explain(model, x, "alphabeta", alpha=2.0, beta=1.0)
    assert close(out.relevance, 0.5, 1.5) and float(out.layers["0"].balance.zeroth) == -1
    assert close(by_zennit(model, x, ONE, zennit_rules.AlphaBeta(2, 1, TINY)), 0.5, 1.5)


def test_zbox_at_the_corner_of_the_box_is_rounding_in_zennit():
    """a is where z^B searches: no direction is left. zennit's bias cancels only up to rounding, over its stabiliser."""
    model, x = unit([0.1, -0.2], 0.3), row(-1, 2)
    out = explain(model, x, "zbox", low=-1.0, high=2.0)
    assert close(out.relevance, 0, 0) and float(out.layers["0"].balance.zeroth) == 1
    assert close(by_zennit(model, x, ONE, zennit_rules.ZBox(-1.0, 2.0)), 0, 0)


@pytest.mark.parametrize("value", [1.0, 0.0, -1.0])
def test_the_first_of_several_equal_maxima_wins_everywhere(value):
    model, x = nn.Sequential(nn.MaxPool1d(2), nn.Flatten()), torch.full((1, 1, 2), value, dtype=torch.double)
    assert close(dtd.explain(dtd.trace(model, x), x, ONE, dtd.Plan([])).relevance, 1, 0)
    assert close(by_zennit(model, x, ONE, zennit_rules.Epsilon(TINY)), 1, 0)


def test_captum_drops_the_relevance_of_a_maximum_that_is_zero():
    """captum's ε rule: a_winner R / (a_winner + ε); dtd and zennit hand R to the winner whatever its value."""
    deeper = nn.Sequential(nn.MaxPool1d(2), *unit([1], 1))
    rules = iter((captum_rules.IdentityRule(TINY),))
    assert close(by_captum(deeper, torch.zeros(1, 2, dtype=torch.double), 0, lambda: next(rules)), 0, 0)
    x = torch.ones(1, 2, dtype=torch.double)
    assert close(by_captum(deeper, x, 0, lambda: captum_rules.IdentityRule(TINY)), 2, 0)


def test_zplus_refuses_inputs_of_both_signs_in_dtd():
    x = row(1, -1)
    with pytest.raises(dtd.DomainError, match="needs values in NonNegative"):
        explain(unit([1, 1]), x, "zplus")
