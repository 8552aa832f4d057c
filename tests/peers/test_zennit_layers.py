"""Layer by layer: dtd's derived and explicit rules equal zennit's, for biases and weights of every sign."""

from itertools import product

import pytest

import dtd
from tests.cases import make_case
from tests.peers.libraries import BIAS_MODES, assert_equal, by_zennit
from tests.peers.pairs import PAIRS

pytestmark = pytest.mark.peers

LAYERS = (
    "linear",
    "linear_without_bias",
    "linear_on_sequence",
    "conv1d",
    "conv1d_same_even",
    "conv2d",
    "conv2d_valid",
    "conv2d_stride_dilation",
    "conv2d_groups",
    "conv2d_depthwise",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose2d_groups",
    "conv_transpose3d",
)
SETTINGS = [(key, bias, signs) for key, pair in PAIRS.items() for bias, signs in product(pair.bias, pair.signs)]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("key", "bias", "signs"), SETTINGS)
def test_one_layer(layer, key, bias, signs):
    pair = PAIRS[key]
    signed = [("mixed", "mixed"), ("positive", "mixed"), ("negative", "mixed"), ("mixed", "positive")]
    for seed, (of_bias, of_weight) in enumerate(signed):
        pattern = {"weight": of_weight, "bias": of_bias, "input": "mixed", "relevance": "mixed"}
        case = make_case(layer, signs, 2, pattern, seed)
        x = 0.9 * case.x  # off the corners of the box, where z^B has no root
        expected = by_zennit(case.module, x, case.relevance, pair.hook(BIAS_MODES[bias]))
        plan = pair.plan(bias)
        for reading in (plan, plan.explicit()):
            assert_equal(dtd.explain(case.network, x, case.relevance, reading).relevance, expected)
