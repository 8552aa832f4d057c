"""ResNet-18 and VGG-11-BN with random weights and statistics: the whole balance closes, and zennit agrees."""

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.peers.document import rows, shown
from tests.peers.libraries import BIAS_MODES, TINY, assert_equal, by_composite, distance, zennit_composites
from tests.peers.networks import fill, random

pytestmark = pytest.mark.peers

models = pytest.importorskip("torchvision.models")
zennit_torchvision = pytest.importorskip("zennit.torchvision")

ARCHITECTURES = {
    "resnet18": (models.resnet18, zennit_torchvision.ResNetCanonizer),
    "vgg11_bn": (models.vgg11_bn, zennit_torchvision.VGGCanonizer),
}
TARGET = torch.tensor([3, 700])
EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class Case:
    """A model with random parameters and batch-norm statistics, its network, and normalised 64×64 images."""

    model: nn.Module
    network: dtd.Network
    x: Tensor


@cache
def filled(name: str) -> dict[str, Tensor]:
    """Random parameters and statistics of an architecture, in float64."""
    with torch.device("meta"):
        model = ARCHITECTURES[name][0](weights=None)
    return fill(model.double().to_empty(device="cpu"), 0, bias=0.2).state_dict()


@cache
def case(name: str, batch_norm_eps: float = 1e-5) -> Case:
    """The architecture with these parameters (shared, not copied), traced once."""
    with torch.device("meta"):
        model = ARCHITECTURES[name][0](weights=None).double().eval()
    model.load_state_dict(filled(name), assign=True)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = batch_norm_eps
    x = random((2, 3, 64, 64), 1)
    return Case(model, dtd.trace(model, x), x)


@cache
def explain(name: str, bias: str, epsilon: float = EPSILON, batch_norm_eps: float = 1e-5) -> dtd.Explanation:
    """ε⁺ on an architecture; tests share the result."""
    of = case(name, batch_norm_eps)
    return dtd.explain(of.network, of.x, TARGET, dtd.presets.epsilon_plus(epsilon, bias))


def parts(out: dtd.Explanation) -> dict[str, Tensor]:
    """Bias, zeroth and remainder, summed over all layers. # shape: (B,) each"""
    balances = [record.balance for record in out.layers.values()]
    return {part: sum(getattr(balance, part) for balance in balances) for part in ("bias", "zeroth", "remainder")}


def assert_closes(out: dtd.Explanation) -> None:
    """Every layer's balance closes, what a layer hands down arrives below, and the sum over all layers is what was given."""
    size = out.initial.abs().sum(1)
    assert bool((size > 0.01).all())
    for name, record in out.layers.items():
        scale = record.balance.relevance.abs() + size
        assert bool((record.balance.gap.abs() <= 1e-12 * scale).all()), name
    kept = sum(parts(out).values())
    arrived = out.relevance.flatten(1).sum(1)
    assert bool(((out.initial.sum(1) - arrived - kept).abs() <= 1e-11 * size).all())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_network_is_the_model(name):
    with torch.no_grad():
        assert_equal(explain(name, "fixed").output, case(name).model(case(name).x), 1e-11)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_epsilon_plus_conserves_with_the_bias_fixed(name):
    out = explain(name, "fixed")
    assert_closes(out)
    assert [f"{share:.4f}" for share in out.conservation().tolist()] == ["1.0000", "1.0000"]
    total, kept = out.initial.sum(1), parts(out)
    assert bool((kept["bias"] == 0).all()) and bool((kept["remainder"].abs() <= 1e-12 * total.abs()).all())
    assert bool(((kept["zeroth"] / total).abs() > 1e-9).all()), "the damping must be visible"
    assert bool(((kept["zeroth"] / total).abs() < 5e-5).all())
    for layer_name, record in out.layers.items():
        if record.layer.kind != "dense":  # only LRP-ε is damped
            assert bool((record.balance.zeroth.abs() <= 1e-12 * total.abs()).all()), layer_name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_undamped_epsilon_plus_conserves_to_rounding(name):
    out = explain(name, "fixed", epsilon=0.0)
    assert_closes(out)
    assert bool(((out.conservation() - 1).abs() < 1e-11).all())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_bias_neurons_share_is_reported(name):
    out = explain(name, "neuron")
    assert_closes(out)
    share = parts(out)["bias"] / out.initial.sum(1)
    assert bool((share.abs() > 0.01).all())
    lost = 1 - out.conservation()
    assert bool(((lost - share).abs() < 5e-5).all()), "what does not arrive is the bias share, but for the damping"


@pytest.mark.parametrize(
    ("name", "bias"),
    [
        ("resnet18", "fixed"),
        ("resnet18", "neuron"),
        ("resnet18", "distribute"),
        ("vgg11_bn", "fixed"),
        ("vgg11_bn", "neuron"),
    ],
)
def test_derived_is_explicit(name, bias):
    of = case(name)
    plan = dtd.presets.epsilon_plus(EPSILON, bias)
    explicit = dtd.explain(of.network, of.x, TARGET, plan.explicit())
    for record in explicit.layers.values():
        assert isinstance(record.model, dtd.lrp.LRPRule) or record.layer.kind not in ("convolution", "dense", "sum")
    assert_equal(explain(name, bias).relevance, explicit.relevance, 1e-10)
    assert_closes(explain(name, bias))


@cache
def by_zennit(name: str, bias: str, batch_norm_eps: float) -> Tensor:
    """zennit's ε⁺ composite with its canonizer for the architecture: batch norm merged, sums made modules."""
    composite = zennit_composites.EpsilonPlus(
        epsilon=EPSILON, stabilizer=TINY, zero_params=BIAS_MODES[bias], canonizers=[ARCHITECTURES[name][1]()]
    )
    of = case(name, batch_norm_eps)
    given = explain(name, bias, batch_norm_eps=batch_norm_eps).initial  # zennit's merged model has another output
    return by_composite(of.model, of.x, given, composite)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("bias", ["fixed", "neuron"])
def test_zennit_agrees_on_the_architecture_without_batch_norm_eps(name, bias):
    assert_equal(explain(name, bias, batch_norm_eps=0.0).relevance, by_zennit(name, bias, 0.0), 1e-8)


def measured(name: str) -> dict[str, str]:
    """The numbers of the document's table, for one architecture."""
    fixed, undamped, neuron = explain(name, "fixed"), explain(name, "fixed", epsilon=0.0), explain(name, "neuron")
    absorbed = (parts(fixed)["zeroth"] / fixed.initial.sum(1)).abs().max()
    merged = distance(by_zennit(name, "neuron", 1e-5), neuron.relevance)
    alike = distance(by_zennit(name, "neuron", 0.0), explain(name, "neuron", batch_norm_eps=0.0).relevance)
    return {
        "share that reaches the input, fixed": ", ".join(f"{v:.4f}" for v in fixed.conservation().tolist()),
        "the same with ε = 0": ", ".join(f"{v:.10f}" for v in undamped.conservation().tolist()),
        "absorbed by ε (zeroth), fixed": f"{absorbed:.1g}",
        "share that reaches the input, neuron": ", ".join(f"{v:.4f}" for v in neuron.conservation().tolist()),
        "bias share, neuron": ", ".join(f"{v:.4f}" for v in (parts(neuron)["bias"] / neuron.initial.sum(1)).tolist()),
        "zennit apart, eps of batch norm 0": shown(alike),
        "zennit apart, eps of batch norm 1e-5": shown(merged),
    }


@pytest.mark.parametrize(("column", "name"), enumerate(ARCHITECTURES))
def test_measured_as_documented(column, name):
    table = rows()
    for label, number in measured(name).items():
        assert table[label][column] == number, label
