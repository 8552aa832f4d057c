"""Whole networks: dtd's relevance of the input equals zennit's, rule by rule and composite by composite."""

from itertools import product

import pytest
import torch
from torch import nn

import dtd
from dtd.plans.rules import choose
from tests.peers.libraries import BIAS_MODES, TINY, assert_equal, by_composite, by_zennit, zennit_composites
from tests.peers.networks import HIGH, LOW, NETWORKS, Stacked, build, fill, random
from tests.peers.pairs import PAIRS

pytestmark = pytest.mark.peers

# z^B belongs to the first layer, and z+ to non-negative inputs, which a leaky rectifier does not give
UNIFORM = [
    (name, key, bias, signs)
    for name, (key, pair) in product(NETWORKS, PAIRS.items())
    if key != "zbox" and not (key == "zplus" and name == "cnn_1d")
    for bias, signs in product(pair.bias, pair.signs)
]


@pytest.mark.parametrize(("name", "key", "bias", "signs"), UNIFORM)
def test_one_rule_in_every_layer(name, key, bias, signs):
    pair = PAIRS[key]
    for seed in (0, 1):
        case = build(name, seed, signs)
        expected = by_zennit(case.model, case.x, case.relevance(), pair.hook(BIAS_MODES[bias]))
        for plan in (pair.plan(bias), pair.plan(bias).explicit()):
            assert_equal(case.by_dtd(case.relevance(), plan), expected)


def test_the_target_is_the_output_of_a_class():
    case = build("cnn", 3)
    target = torch.tensor([2, 0, 3])
    hook = PAIRS["gamma_signed"].hook(None)
    expected = by_zennit(case.model, case.x, lambda output: output * nn.functional.one_hot(target, 4), hook)
    assert_equal(case.by_dtd(target, PAIRS["gamma_signed"].plan("neuron")), expected)


def plans(bias: str) -> dict[str, tuple[dtd.Plan, type, dict]]:
    """dtd's preset, zennit's composite, and the composite's own arguments. zennit's flat rule never has a bias."""
    plus = dtd.presets.epsilon_plus(1e-3, bias)
    flat_first = dtd.Plan([(dtd.where.first, choose("flat", "fixed")), *plus.entries])
    box_plan = dtd.presets.epsilon_gamma_box(0.25, 1e-3, bias)
    box = {"low": LOW, "high": HIGH}
    return {
        "epsilon_plus": (plus, zennit_composites.EpsilonPlus, {}),
        "epsilon_plus_flat": (flat_first, zennit_composites.EpsilonPlusFlat, {}),
        "epsilon_alpha2_beta1": (dtd.presets.epsilon_alpha2_beta1(1e-3, bias), zennit_composites.EpsilonAlpha2Beta1, {}),
        "epsilon_gamma_box": (box_plan, zennit_composites.EpsilonGammaBox, box),
    }


@pytest.mark.parametrize("bias", ["neuron", "fixed"])
@pytest.mark.parametrize("preset", list(plans("fixed")))
@pytest.mark.parametrize("name", ["cnn", "cnn_overlapping"])
def test_presets_are_zennits_composites(name, preset, bias):
    case = build(name, 4, "box")
    plan, composite, arguments = plans(bias)[preset]
    made = composite(epsilon=1e-3, stabilizer=TINY, zero_params=BIAS_MODES[bias], **arguments)
    expected = by_composite(case.model, case.x, case.relevance(), made)
    assert_equal(case.by_dtd(case.relevance(), plan), expected)


def test_deep_taylor_2017_is_zbox_then_zplus():
    case = build("cnn", 5, "box")
    first, above = PAIRS["zbox"].hook("bias"), PAIRS["zplus"].hook("bias")
    composite = zennit_composites.NameLayerMapComposite(
        name_map=[(("features.0",), first), (("features.3", "head.0", "head.2"), above)],
        layer_map=zennit_composites.layer_map_base(TINY),
    )
    expected = by_composite(case.model, case.x, case.relevance(), composite)
    assert_equal(case.by_dtd(case.relevance(), dtd.presets.deep_taylor_2017()), expected)


def test_batch_norm_is_folded_alike():
    """Against zennit on a model whose batch norm torch itself has fused into the convolution."""
    conv, norm, conv2, norm2 = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 2, bias=False), nn.BatchNorm2d(3)
    rest, head = [nn.ReLU(), nn.AvgPool2d(2)], nn.Linear(12, 4)
    model = fill(Stacked(nn.Sequential(conv, norm, nn.ReLU(), conv2, norm2, *rest), head), 6)
    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
    fused = Stacked(nn.Sequential(fuse(conv, norm), nn.ReLU(), fuse(conv2, norm2), *rest), head)
    x = random((3, 2, 7, 7), 8)
    network, relevance = dtd.trace(model, x), random((3, 4), 9)
    for pair in (pair for pair in PAIRS.values() if "real" in pair.signs):
        for bias in pair.bias:
            expected = by_zennit(fused, x, relevance, pair.hook(BIAS_MODES[bias]))
            assert_equal(dtd.explain(network, x, relevance, pair.plan(bias)).relevance, expected)
