"""ResNet-18 and VGG-11-BN with random weights and statistics: the whole balance closes, and zennit agrees."""

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import dtd
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

    def explain(self, plan: dtd.Plan) -> dtd.Explanation:
        return dtd.explain(self.network, self.x, TARGET, plan)


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
    out = case(name).explain(dtd.presets.epsilon_plus(EPSILON))
    with torch.no_grad():
        assert_equal(out.output, case(name).model(case(name).x), 1e-11)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_epsilon_plus_conserves_with_the_bias_fixed(name):
    out = case(name).explain(dtd.presets.epsilon_plus(EPSILON, "fixed"))
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
    out = case(name).explain(dtd.presets.epsilon_plus(0.0, "fixed"))
    assert_closes(out)
    assert bool(((out.conservation() - 1).abs() < 1e-11).all())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_bias_neurons_share_is_reported(name):
    out = case(name).explain(dtd.presets.epsilon_plus(EPSILON, "neuron"))
    assert_closes(out)
    share = parts(out)["bias"] / out.initial.sum(1)
    assert bool((share.abs() > 0.01).all())
    lost = 1 - out.conservation()
    assert bool(((lost - share).abs() < 5e-5).all()), "what does not arrive is the bias share, but for the damping"


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("bias", ["fixed", "neuron", "distribute"])
def test_derived_is_explicit(name, bias):
    plan = dtd.presets.epsilon_plus(EPSILON, bias)
    derived, explicit = case(name).explain(plan), case(name).explain(plan.explicit())
    for record in explicit.layers.values():
        assert isinstance(record.model, dtd.lrp.LRPRule) or record.layer.kind not in ("convolution", "dense", "sum")
    assert_equal(derived.relevance, explicit.relevance, 1e-10)
    assert_closes(derived)


def by_zennit(of: Case, name: str, bias: str) -> Tensor:
    """zennit's ε⁺ composite with its canonizer for the architecture: batch norm merged, sums made modules."""
    composite = zennit_composites.EpsilonPlus(
        epsilon=EPSILON, stabilizer=TINY, zero_params=BIAS_MODES[bias], canonizers=[ARCHITECTURES[name][1]()]
    )
    chosen = nn.functional.one_hot(TARGET, 1000)
    with torch.no_grad():
        output = of.model(of.x)  # zennit's merged model computes another one, see below
    return by_composite(of.model, of.x, output * chosen, composite)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("bias", ["fixed", "neuron"])
def test_zennit_agrees_on_the_architecture_without_batch_norm_eps(name, bias):
    of = case(name, 0.0)
    plan = dtd.presets.epsilon_plus(EPSILON, bias)
    assert_equal(of.explain(plan).relevance, by_zennit(of, name, bias), 1e-8)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_zennits_merge_counts_the_batch_norm_eps_twice(name):
    """With eps = 1e-5 the merged model is another function, and its relevance differs by about as much."""
    of = case(name)
    found = distance(by_zennit(of, name, "neuron"), of.explain(dtd.presets.epsilon_plus(EPSILON, "neuron")).relevance)
    assert 1e-7 < found < 1e-2
