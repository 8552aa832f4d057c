"""Exact values by hand, a three-way check: w = (1, −1, 2), x = (1, 1, 1), one unit that explains its own output, R = z."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction as Q
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.peers.libraries import BIAS_MODES, TINY, by_captum, by_zennit, captum_rules, tiny, zennit_rules

pytestmark = pytest.mark.peers

HALF = Q(1, 2)
X = torch.ones(1, 3, dtype=torch.double)


@dataclass(frozen=True)
class Value:
    """What a rule gives, as fractions; ``captum`` where its convention is the same."""

    rule: str
    bias: str
    b: Q
    expected: tuple[Q, Q, Q]
    zennit: Callable[[str | None], Any] | None
    captum: Callable[[], Any] | None = None
    parameters: dict[str, float] = field(default_factory=dict)

    def __str__(self):
        return f"{self.rule}-{self.bias}-{self.b}"


def captum_zplus(zero_bias: bool) -> Callable[[], Any]:
    return lambda: tiny(captum_rules.Alpha1_Beta0_Rule(set_bias_to_zero=zero_bias))


def captum_gamma(zero_bias: bool) -> Callable[[], Any]:
    return lambda: tiny(captum_rules.GammaRule(0.25, set_bias_to_zero=zero_bias))


def captum_epsilon() -> Any:
    return captum_rules.EpsilonRule(TINY)


def zplus(zero):
    return zennit_rules.ZPlus(TINY, zero)


def gamma(zero):
    return zennit_rules.Gamma(0.25, TINY, zero)


def epsilon(zero):
    return zennit_rules.Epsilon(TINY, zero)


def alpha2_beta1(zero):
    return zennit_rules.AlphaBeta(2, 1, TINY, zero)


def wsquare(zero):
    return zennit_rules.WSquare(TINY, zero)


def flat(zero):
    return zennit_rules.Flat(TINY, zero)


def zbox(zero):
    return zennit_rules.ZBox(0.0, 2.0, TINY, zero)


QUARTER, TWO = {"gamma": 0.25}, {"alpha": 2.0, "beta": 1.0}
VALUES = [
    # z = 5/2 with b = 1/2, z = 3/2 with b = −1/2; Σ a w = 2, Σ a w⁺ = 3
    Value("zplus", "fixed", HALF, (Q(5, 6), Q(0), Q(5, 3)), zplus, captum_zplus(True)),
    Value("zplus", "neuron", HALF, (Q(5, 7), Q(0), Q(10, 7)), zplus, captum_zplus(False)),
    Value("zplus", "fixed", -HALF, (Q(1, 2), Q(0), Q(1)), zplus, captum_zplus(True)),
    Value("zplus", "neuron", -HALF, (Q(1, 2), Q(0), Q(1)), zplus),
    Value("lrp0", "fixed", HALF, (Q(5, 4), Q(-5, 4), Q(5, 2)), epsilon),
    Value("lrp0", "neuron", HALF, (Q(1), Q(-1), Q(2)), epsilon, captum_epsilon),
    Value("lrp0", "neuron", -HALF, (Q(1), Q(-1), Q(2)), epsilon, captum_epsilon),
    # Σ a (w + γ w⁺) = 11/4; the bias adds 5/8 (b = 1/2) or −1/2
    Value("gamma", "fixed", HALF, (Q(25, 22), Q(-10, 11), Q(25, 11)), gamma, captum_gamma(True), QUARTER),
    Value("gamma", "neuron", HALF, (Q(25, 27), Q(-20, 27), Q(50, 27)), gamma, None, QUARTER),
    Value("gamma", "neuron", -HALF, (Q(5, 6), Q(-2, 3), Q(5, 3)), gamma, captum_gamma(False), QUARTER),
    # Σ a w⁻ = −1; with b = 1/2 the positive part is 7/2, with b = −1/2 the negative part is −3/2
    Value("alphabeta", "fixed", HALF, (Q(5, 3), Q(-5, 2), Q(10, 3)), alpha2_beta1, None, TWO),
    Value("alphabeta", "neuron", HALF, (Q(10, 7), Q(-5, 2), Q(20, 7)), alpha2_beta1, None, TWO),
    Value("alphabeta", "neuron", -HALF, (Q(1), Q(-1), Q(2)), alpha2_beta1, None, TWO),
    Value("wsquare", "fixed", HALF, (Q(5, 12), Q(5, 12), Q(5, 3)), wsquare),
    Value("wsquare", "neuron", HALF, (Q(2, 5), Q(2, 5), Q(8, 5)), wsquare),
    Value("flat", "fixed", HALF, (Q(5, 6), Q(5, 6), Q(5, 6)), flat),
    Value("flat", "neuron", HALF, (Q(5, 8), Q(5, 8), Q(5, 8)), None),
    # a − l = 1, a − h = −1: numerators 1, 1, 2
    Value("zbox", "neuron", HALF, (Q(5, 8), Q(5, 8), Q(5, 4)), zbox, None, {"low": 0.0, "high": 2.0}),
]


@cache
def traced() -> tuple[nn.Linear, dtd.Network]:
    """The one unit, traced once."""
    layer = nn.Linear(3, 1).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0, 2.0]]))
    return layer, dtd.trace(nn.Sequential(layer).eval(), X, domain=dtd.Box(0.0, 2.0))


def unit(b: Q) -> tuple[nn.Module, dtd.Network]:
    """The unit with bias b; the next call overwrites it."""
    layer, network = traced()
    with torch.no_grad():
        layer.bias.fill_(float(b))
    return nn.Sequential(layer), network


def assert_exact(found: Tensor, expected: tuple[Q, ...], tolerance: float) -> None:
    """The floating-point number next to each fraction, up to rounding."""
    assert max(abs(Q(value) - fraction) for value, fraction in zip(found[0].tolist(), expected, strict=True)) <= tolerance


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_three_libraries_and_the_fractions(value):
    model, network = unit(value.b)
    plan = dtd.Plan.uniform(value.rule, value.bias, **value.parameters)
    for reading in (plan, plan.explicit()):
        assert_exact(dtd.explain(network, X, 0, reading).relevance, value.expected, 1e-15)
    if value.zennit:
        hook = value.zennit(BIAS_MODES[value.bias])
        assert_exact(by_zennit(model, X, lambda z: z, hook), value.expected, 1e-13)
    if value.captum:
        assert_exact(by_captum(model, X, 0, value.captum), value.expected, 1e-13)


def test_captums_third_convention_keeps_a_negative_bias_in_zplus():
    """3 − 1/2 in the denominator: (3/5, 0, 6/5), neither our fixed nor our neuron (1/2, 0, 1)."""
    model, _ = unit(-HALF)
    assert_exact(by_captum(model, X, 0, captum_zplus(False)), (Q(3, 5), Q(0), Q(6, 5)), 1e-13)


def test_captums_third_convention_does_not_boost_a_positive_bias_in_gamma():
    """11/4 + 1/2 in the denominator: 10/13 times (5/4, −1, 5/2), neither fixed nor neuron."""
    model, _ = unit(HALF)
    expected = (Q(25, 26), Q(-10, 13), Q(25, 13))
    assert_exact(by_captum(model, X, 0, captum_gamma(False)), expected, 1e-13)
