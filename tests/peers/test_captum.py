"""captum's LRP: equal to dtd wherever its bias convention is one of ours."""

import pytest
import torch
from torch import nn

import dtd
from tests.peers.libraries import TINY, assert_equal, by_captum, captum_rules, tiny
from tests.peers.networks import ON_CAPTUM, Stacked, build, fill, random

pytestmark = pytest.mark.peers

TARGET = torch.tensor([1, 0, 3])
SEEDS = (0, 1, 2)


def epsilon(value):
    return lambda: captum_rules.EpsilonRule(value)


def gamma(zero_bias):
    return lambda: tiny(captum_rules.GammaRule(0.25, set_bias_to_zero=zero_bias))


def zplus(zero_bias):
    return lambda: tiny(captum_rules.Alpha1_Beta0_Rule(set_bias_to_zero=zero_bias))


def set_bias_signs(model: nn.Module, sign: int) -> None:
    """Give every bias one sign; negative ones are small, so that units stay active."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias" in name:
                parameter.copy_(parameter.abs() if sign > 0 else -0.1 * parameter.abs())


def agree(name: str, signs: str, plan: dtd.Plan, make, sign: int | None = None) -> None:
    """dtd's derived and explicit relevance equals captum's on three seeds."""
    for seed in SEEDS:
        case = build(name, seed, signs)
        if sign is not None:
            set_bias_signs(case.model, sign)
        expected = by_captum(case.model, case.x, TARGET, make)
        for reading in (plan, plan.explicit()):
            assert_equal(case.by_dtd(TARGET, reading), expected)


@pytest.mark.parametrize("name", ON_CAPTUM)
@pytest.mark.parametrize("signs", ["real", "nonnegative"])
@pytest.mark.parametrize("value", [TINY, 0.1])
def test_epsilon_moves_the_bias_along(name, signs, value):
    agree(name, signs, dtd.Plan.uniform("epsilon", "neuron", epsilon=value), epsilon(value))


@pytest.mark.parametrize("name", ON_CAPTUM)
@pytest.mark.parametrize("signs", ["real", "nonnegative"])
def test_gamma_without_bias_is_gamma_with_the_bias_fixed(name, signs):
    """captum's γ never looks at the inputs' signs: it is the γ of the LRP overview, on any inputs."""
    agree(name, signs, dtd.Plan.uniform("gamma", "fixed", gamma=0.25), gamma(True))


@pytest.mark.parametrize("name", ON_CAPTUM)
def test_zplus_without_bias_is_zplus_with_the_bias_fixed(name):
    agree(name, "nonnegative", dtd.Plan.uniform("zplus", "fixed"), zplus(True))


@pytest.mark.parametrize("name", ON_CAPTUM)
def test_zplus_keeps_a_positive_bias_like_a_neuron(name):
    agree(name, "nonnegative", dtd.Plan.uniform("zplus", "neuron"), zplus(False), sign=1)


@pytest.mark.parametrize("name", ON_CAPTUM)
@pytest.mark.parametrize("signs", ["real", "nonnegative"])
def test_gamma_keeps_a_negative_bias_like_a_neuron(name, signs):
    agree(name, signs, dtd.Plan.uniform("gamma", "neuron", gamma=0.25), gamma(False), sign=-1)


def test_epsilon_on_batch_norm_is_the_affine_layer_kept():
    """captum applies ε to batch norm itself; so does dtd with ``fold_batch_norm=False``."""
    features = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2))
    model, x = Stacked(features, nn.Linear(16, 4)).double().eval(), random((3, 2, 6, 6), 1)
    network = dtd.trace(model, x, fold_batch_norm=False)
    for seed in SEEDS:
        fill(model, seed)
        expected = by_captum(model, x, TARGET, epsilon(TINY), weighted=(nn.Linear, nn.Conv2d, nn.BatchNorm2d))
        plan = dtd.Plan.uniform("epsilon", "neuron", epsilon=TINY)
        assert_equal(dtd.explain(network, x, TARGET, plan).relevance, expected)
