"""Speed is no part of the meaning: without the prepared passes every relevance is the same."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import dtd
from dtd import presets
from dtd.errors import DomainError
from dtd.explaining import request
from tests.cases import DOMAINS, LAYERS, make_case
from tests.dtd.test_correspondence import applicable, parameters_of
from tests.dtd.test_tutorial import test_the_composite_with_average_pooling_is_the_tutorials_pass as tutorial
from tests.models import randomised

BIASES = ("fixed", "neuron", "distribute")
SIGNS = dict.fromkeys(("weight", "bias", "input", "relevance"), "mixed")
WITHIN = 1e-9  # of the largest relevance


class Attention(nn.Module):
    """A block of a transformer: attention, norms, a gate."""

    def __init__(self):
        super().__init__()
        self.mix = nn.MultiheadAttention(4, 2, batch_first=True)
        self.before, self.after = nn.LayerNorm(4), nn.RMSNorm(4)
        self.up, self.gate, self.down = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        x = x + self.mix(y, y, y, need_weights=False)[0]
        y = self.after(x)
        return (x + self.down(self.up(y) * torch.nn.functional.silu(self.gate(y)))).mean(1)


class Gated(nn.Module):
    """Squeeze and excitation: channels times a gate that the whole input gives."""

    def __init__(self):
        super().__init__()
        self.conv, self.squeeze, self.excite = nn.Conv2d(2, 4, 3, padding=1), nn.Linear(4, 2), nn.Linear(2, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x).relu()
        gate = torch.sigmoid(self.excite(self.squeeze(y.mean((2, 3))).relu()))
        return self.head((y * gate[:, :, None, None]).amax((2, 3)))


class Joined(nn.Module):
    """Two inputs, one of them a sequence."""

    def __init__(self):
        super().__init__()
        self.words, self.sizes, self.head = nn.Linear(4, 3), nn.Linear(2, 3), nn.Linear(3, 3)

    def forward(self, words: Tensor, sizes: Tensor) -> Tensor:
        return self.head(self.words(words).amax(1).relu() * self.sizes(sizes).sigmoid() + self.sizes(sizes))


NETWORKS: dict[str, tuple[type[nn.Module], tuple[tuple[int, ...], ...]]] = {
    "attention": (Attention, ((3, 4),)),
    "gated": (Gated, ((2, 4, 4),)),
    "joined": (Joined, ((3, 4), (2,))),
}
PLANS = {
    **{
        f"{rule} {bias}": dtd.Plan.uniform(rule, bias=bias, **parameters)
        for bias in BIASES
        for rule, parameters in {
            "lrp0": {},
            "epsilon": {"epsilon": 0.05},
            "gamma": {"gamma": 0.25},
            "gamma_signed": {"gamma": 0.5},
            "zplus_signed": {},
            "alphabeta": {"alpha": 2.0, "beta": 1.0},
            "wsquare": {},
            "flat": {},
        }.items()
    },
    "attnlrp": presets.attnlrp(),
    "attnlrp with γ": presets.attnlrp(gamma=0.25, norm="identity"),
    "cp_lrp": presets.cp_lrp(),
    "transformers_2022": presets.transformers_2022(),
    "lstm_2017": presets.lstm_2017(),
    "recommended": None,
}


def parts(relevance: Tensor | Mapping[str, Tensor]) -> list[Tensor]:
    """Relevance, input by input."""
    return [relevance] if isinstance(relevance, Tensor) else list(relevance.values())


def assert_same(found: dtd.Explanation, expected: dtd.Explanation) -> None:
    """The same relevance of every input, and the same output."""
    for one, other in zip(parts(found.relevance), parts(expected.relevance), strict=True):
        assert (one - other).abs().max() <= WITHIN * max(part.abs().max() for part in parts(expected.relevance))
    torch.testing.assert_close(found.output, expected.output)


@pytest.mark.parametrize("rule", sorted(dtd.rules.catalogue))
@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_layer_under_every_rule(name, rule):
    for domain in DOMAINS:
        case = make_case(name, domain, 2, SIGNS, seed=3)
        if not applicable(rule, case):
            continue
        target = case.relevance.reshape(2, *case.network.layers[-1].shape)
        for bias in BIASES:
            plan = dtd.Plan([(dtd.where.kind(case.layer.kind), dtd.rules.choose(rule, bias, **parameters_of(rule, case)))])
            found, expected = (dtd.explain(case.network, case.x, target, plan, fast=fast) for fast in (True, False))
            assert_same(found, expected)


@pytest.mark.filterwarnings("ignore::dtd.GrowthWarning")
@pytest.mark.parametrize("plan", sorted(PLANS))
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_networks_of_today(name, plan):
    make, shapes = NETWORKS[name]
    generator = torch.Generator().manual_seed(5)
    inputs = tuple(torch.rand(2, *shape, generator=generator, dtype=torch.double) for shape in shapes)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    network = dtd.trace(randomised(make()), inputs)
    found, expected = (dtd.explain(network, inputs, 1, PLANS[plan], fast=fast) for fast in (True, False))
    assert_same(found, expected)


def test_without_the_package_the_tutorial_is_the_same(monkeypatch):
    asked = []

    def nothing(*arguments):
        asked.append(arguments)

    monkeypatch.setattr(request, "prepared", nothing)
    tutorial()
    assert len(asked) == 5  # one for each explanation of the tutorial


def test_input_is_refused_alike():
    network = dtd.trace(nn.Linear(2, 1), torch.rand(1, 2))
    for fast in (True, False):
        with pytest.raises(DomainError):
            dtd.explain(network, -torch.ones(1, 2), 0, dtd.Plan.uniform("zplus"), fast=fast)
