"""Where definitions differ: what each library computes instead, by its own formula written out here."""

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.peers import examples
from tests.peers.differences import gamma, zplus
from tests.peers.examples import Residual, Twice, layer, one_hot
from tests.peers.libraries import (
    TINY,
    assert_equal,
    by_captum,
    by_composite,
    by_zennit,
    captum_attr,
    captum_rules,
    zennit_canonizers,
    zennit_composites,
    zennit_rules,
    zennit_types,
)
from tests.peers.networks import fill, random

pytestmark = pytest.mark.peers

TARGET = torch.arange(4)


def shares(contributions: Tensor, bias: Tensor, relevance: Tensor) -> Tensor:
    """``Σ_k c_kj / (Σ_j c_kj + b_k) R_k``. # shape: contributions (B, K, J), bias (K,) or (B, K), relevance (B, K)"""
    s = relevance / (contributions.sum(-1) + bias)
    return (contributions * s[..., None]).sum(1)


def parts(model: nn.Sequential, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """a (B, 1, J), w (1, K, J), b (K,) of a one-layer model, and the relevance of the explained outputs (B, K)."""
    with torch.no_grad():
        return x[:, None], model[0].weight[None], model[0].bias.clone(), one_hot(TARGET)(model(x))


@pytest.mark.parametrize("signs", ["real", "nonnegative"])
def test_captums_gamma_keeps_the_full_signed_bias_unboosted(signs):
    model, x = layer(signs)
    a, w, b, relevance = parts(model, x)
    expected = shares(a * (w + 0.25 * w.clamp(min=0)), b, relevance)
    assert_equal(by_captum(model, x, TARGET, gamma()), expected.detach())


@pytest.mark.parametrize("signs", ["real", "nonnegative"])
def test_captums_zplus_keeps_the_full_signed_bias_and_all_inputs(signs):
    model, x = layer(signs)
    a, w, b, relevance = parts(model, x)
    assert_equal(by_captum(model, x, TARGET, zplus()), shares(a * w.clamp(min=0), b, relevance).detach())


@pytest.mark.parametrize("sign", [1, -1])
def test_zennits_gamma_boosts_the_contributions_of_the_outputs_own_sign(sign):
    model, x = layer("real", outputs=sign)
    a, w, b, relevance = parts(model, x)
    own = 0.25 * sign * (sign * a * w).clamp(min=0)
    expected = shares(a * w + own, b + 0.25 * sign * (sign * b).clamp(min=0), relevance)
    assert_equal(by_zennit(model, x, relevance, zennit_rules.Gamma(0.25, TINY)), expected.detach())


def test_zennits_flat_rule_has_no_bias_and_counts_zero_weights():
    model, x = layer("real")
    with torch.no_grad():
        model[0].weight[:, ::3] = 0
    relevance = random((4, 4), 1)
    found = by_zennit(model, x, relevance, zennit_rules.Flat(TINY))
    assert_equal(found, relevance.sum(1, keepdim=True).expand(4, 6) / 6)
    network = dtd.trace(model, x)
    counted = dtd.explain(network, x, relevance, dtd.Plan([("*", dtd.lrp.LRPFlatAll())]))
    assert_equal(counted.relevance, found)
    kept = torch.tensor([0, 1, 1, 0, 1, 1], dtype=torch.double) / 4  # no root moves along w = 0
    for reading in (dtd.Plan.uniform("flat"), dtd.Plan.uniform("flat").explicit()):
        assert_equal(dtd.explain(network, x, relevance, reading).relevance, relevance.sum(1, keepdim=True) * kept)


def test_zennits_batch_norm_merge_leaves_the_layers_own_eps_behind():
    """The merged weights are right, but batch norm stays in place with its eps: z is divided by √(1 + eps) once more."""
    model, x = examples.normalised()
    relevance = random((3, 4), 1)
    merge = zennit_canonizers.SequentialMergeBatchNorm()
    by_weights = by_zennit(model, x, relevance, zennit_rules.WSquare(TINY), [merge])
    assert_equal(dtd.explain(dtd.trace(model, x), x, relevance, dtd.Plan.uniform("wsquare", "neuron")).relevance, by_weights)
    with torch.no_grad():
        right = model.layers(x[:, :, None, None])
        merged = merge.apply(model)
        found = model.layers(x[:, :, None, None])
    for canonizer in merged:
        canonizer.remove()
    assert_equal(found, right / (1 + 1e-5) ** 0.5, 1e-12)


def test_a_functional_sum_doubles_zennits_relevance():
    model, x = fill(Residual("function"), 22), random((3, 4), 23)
    relevance = random((3, 3), 1)
    found = by_zennit(model, x, relevance, zennit_rules.Epsilon(TINY, "bias"))
    assert_equal(found.sum(1), 2 * relevance.sum(1), 1e-8)
    out = dtd.explain(dtd.trace(model, x), x, relevance, dtd.Plan.uniform("lrp0"))
    assert_equal(out.relevance.sum(1), relevance.sum(1), 1e-8)


def test_a_functional_sum_sends_captums_relevance_twice_and_multiplies_it_again():
    """Both terms receive all of it, and what reaches x past the layer is multiplied by x once more: x ⊙ (Wᵀ(R/z) + R)."""
    model, x = fill(Residual("function"), 22), random((3, 4), 23)
    with torch.no_grad():
        inner = model.inner(x)
        middle = inner.relu() + x
        head = dtd.trace(nn.Sequential(model.head), middle)
        target = torch.tensor([0, 1, 2])
        arrived = dtd.explain(head, middle, target, dtd.Plan.uniform("lrp0", "neuron")).relevance
        expected = x * ((arrived / inner) @ model.inner.weight + arrived)
    assert_equal(by_captum(model, x, target, lambda: captum_rules.EpsilonRule(TINY)), expected)


def test_average_pooling_without_a_rule_is_the_gradient():
    model, x = examples.averaging()
    relevance = random((3, 4), 1)
    composite = zennit_composites.LayerMapComposite(layer_map=[(zennit_types.Linear, zennit_rules.Epsilon(TINY))])
    found = by_composite(model, x, relevance, composite)
    pooled = model.features(x)
    head = dtd.trace(nn.Sequential(model.head), pooled.flatten(1).detach())
    above = dtd.explain(head, pooled.flatten(1).detach(), relevance, dtd.Plan.uniform("lrp0", "neuron")).relevance
    expected = above.view_as(pooled).repeat_interleave(2, 2).repeat_interleave(2, 3) / 4
    assert_equal(found, expected)


def test_zennit_explains_both_uses_of_a_module_with_the_second_ones_input():
    model, x = fill(Twice(), 24), random((3, 6), 25)
    relevance = random((3, 4), 1)
    found = by_zennit(model, x, relevance, zennit_rules.ZPlus(TINY))
    plan = dtd.Plan.uniform("zplus_signed", "neuron")
    with torch.no_grad():
        middle = model.relu(model.inner(x))
    upper = nn.Sequential(model.inner, model.relu, model.head)
    arrived = dtd.explain(dtd.trace(upper, middle), middle, relevance, plan).relevance
    lower = dtd.trace(nn.Sequential(model.inner), x)
    assert_equal(found, dtd.explain(lower, middle, arrived, plan).relevance)
    right = dtd.explain(dtd.trace(model, x), x, relevance, plan).relevance
    assert_equal(dtd.explain(lower, x, arrived, plan).relevance, right)


def test_captum_refuses_a_module_used_twice():
    with pytest.raises(RuntimeError, match="used more than once"):
        by_captum(fill(Twice(), 24), random((3, 6), 25), 0, lambda: captum_rules.EpsilonRule(TINY))


@pytest.mark.parametrize("module", [nn.LeakyReLU(), nn.AvgPool1d(2), nn.Flatten(), nn.ConvTranspose2d(1, 1, 1)])
def test_captum_has_no_rule_for(module):
    with pytest.raises(TypeError, match="no rule defined"):
        captum_attr.LRP(nn.Sequential(module)).attribute(torch.ones(2, 1, 2, 2, requires_grad=True), target=0)
