"""How far zennit 0.5.1 and captum 0.9.0 are from dtd where rules are defined differently, on one fixed seeded layer.

Each function returns ``Σ|peer − dtd| / Σ|dtd|`` for zennit and for captum; None where the library cannot run the case. The
numbers stand in docs/conventions.md; ``test_conventions.py`` measures them again and compares.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import dtd
from tests.peers.examples import layer, one_hot
from tests.peers.libraries import (
    TINY,
    by_captum,
    by_zennit,
    captum_rules,
    distance,
    tiny,
    zennit_rules,
)


class Apart(NamedTuple):
    """Relative distance of each library from dtd."""

    zennit: float | None
    captum: float | None


def apart(model: nn.Module, x: Tensor, plan: dtd.Plan, zennit: Any, captum: Any, domain: Any = None) -> Apart:
    """Both libraries against dtd, each class's own output being explained."""
    target = torch.arange(len(x)) % model(x).shape[1]
    ours = dtd.explain(dtd.trace(model, x, domain=domain or dtd.Real()), x, target, plan).relevance
    of_zennit = None if zennit is None else distance(by_zennit(model, x, one_hot(target), zennit), ours)
    of_captum = None if captum is None else distance(by_captum(model, x, target, captum), ours)
    return Apart(of_zennit, of_captum)


def gamma(zero_bias: bool = False) -> Callable[[], Any]:
    return lambda: tiny(captum_rules.GammaRule(0.25, set_bias_to_zero=zero_bias))


def zplus(zero_bias: bool = False) -> Callable[[], Any]:
    return lambda: tiny(captum_rules.Alpha1_Beta0_Rule(set_bias_to_zero=zero_bias))


def epsilon() -> Any:
    return captum_rules.EpsilonRule(TINY)


def gamma_on_signed_inputs() -> Apart:
    """Generalised γ, outputs > 0, no bias."""
    model, x = layer("real", outputs=1, bias=False)
    return apart(model, x, dtd.Plan.uniform("gamma_signed", gamma=0.25), zennit_rules.Gamma(0.25, TINY), gamma())


def gamma_on_negative_outputs() -> Apart:
    """Plain γ on inputs ≥ 0, outputs < 0, no bias."""
    model, x = layer("nonnegative", outputs=-1, bias=False)
    return apart(model, x, dtd.Plan.uniform("gamma", gamma=0.25), zennit_rules.Gamma(0.25, TINY), gamma(), dtd.NonNegative())


def gamma_with_bias() -> Apart:
    """γ, bias neuron, inputs ≥ 0, outputs > 0."""
    model, x = layer("nonnegative", outputs=1)
    plan = dtd.Plan.uniform("gamma", "neuron", gamma=0.25)
    return apart(model, x, plan, zennit_rules.Gamma(0.25, TINY), gamma(), dtd.NonNegative())


def zplus_with_bias() -> Apart:
    """z⁺, bias neuron, inputs ≥ 0."""
    model, x = layer("nonnegative")
    return apart(model, x, dtd.Plan.uniform("zplus", "neuron"), zennit_rules.ZPlus(TINY), zplus(), dtd.NonNegative())


def zplus_on_signed_inputs() -> Apart:
    """z⁺ for inputs of either sign, no bias."""
    model, x = layer("real", bias=False)
    return apart(model, x, dtd.Plan.uniform("zplus_signed"), zennit_rules.ZPlus(TINY), zplus())


def flat_with_bias() -> Apart:
    """Flat, bias neuron."""
    model, x = layer("real")
    return apart(model, x, dtd.Plan.uniform("flat", "neuron"), zennit_rules.Flat(TINY), None)


def flat_with_zero_weights() -> Apart:
    """Flat, bias fixed, a third of the weights 0."""
    model, x = layer("real")
    with torch.no_grad():
        model[0].weight[:, ::3] = 0
    return apart(model, x, dtd.Plan.uniform("flat"), zennit_rules.Flat(TINY), None)


def zbox_with_bias() -> Apart:
    """z^B on [−3, 3], bias neuron."""
    model, x = layer("real")
    plan = dtd.Plan.uniform("zbox", "neuron", low=-3.0, high=3.0)
    return apart(model, x, plan, zennit_rules.ZBox(-3.0, 3.0, TINY), None)


def alphabeta_with_an_empty_part() -> Apart:
    """α2β1 where no contribution is negative."""
    model, x = layer("nonnegative")
    with torch.no_grad():
        model[0].weight.abs_()
        model[0].bias.abs_()
    plan = dtd.Plan.uniform("alphabeta", "neuron", alpha=2.0, beta=1.0)
    return apart(model, x, plan, zennit_rules.AlphaBeta(2, 1, TINY), None)


RULES: tuple[Callable[[], Apart], ...] = (
    gamma_on_signed_inputs,
    gamma_on_negative_outputs,
    gamma_with_bias,
    zplus_with_bias,
    zplus_on_signed_inputs,
    flat_with_bias,
    flat_with_zero_weights,
    zbox_with_bias,
    alphabeta_with_an_empty_part,
)
