"""What ``bias="neuron"`` puts into each rule's denominator, read off the relevance itself.

For a unit that receives R, a rule hands ``R_j = m_j / (Σ m + β) R`` to its inputs, with numerators m that do not depend on
the bias. So ``β = m_j R / R_j − Σ m``, measured here on dtd and on zennit: the table of docs/conventions.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import dtd
from tests.peers.libraries import BIAS_MODES, by_zennit
from tests.peers.pairs import HIGH, LOW, PAIRS

pytestmark = pytest.mark.peers

W = torch.tensor([1.5, -0.5, 0.25, -2.0], dtype=torch.double)
A = torch.tensor([0.5, 1.0, -0.75, 0.6], dtype=torch.double)  # contributions +, −, −, −
R = 1.7
GIVEN = torch.full((1, 1), R, dtype=torch.double)
GAMMA = 0.25


def boosted(c: Tensor, side: int) -> Tensor:
    """``c + γ c^±`` of the contributions c."""
    return c + GAMMA * side * (side * c).clamp(min=0)


@dataclass(frozen=True)
class Row:
    """A rule, its numerators from a, the bias term that the table claims, and whether zennit has the rule."""

    rule: str
    numerators: Callable[[Tensor], Tensor]
    term: Callable[[float], float]
    zennit: str | None = None
    parameters: dict = field(default_factory=dict)
    a: Tensor = A  # Σ a w = −1.1375: z < 0 with both biases
    damping: float = 0.0  # ε sign n

    @property
    def case(self) -> tuple[Tensor, dtd.Domain]:
        return self.a[None], dtd.NonNegative() if self.rule == "zplus" else dtd.Real()


ROWS = {
    "lrp0": Row("lrp0", lambda a: a * W, lambda b: b, "lrp0"),
    "epsilon": Row("epsilon", lambda a: a * W, lambda b: b, "epsilon", {"epsilon": 0.1}, damping=-0.1),
    "gamma": Row("gamma", lambda a: a * boosted(W, 1), lambda b: b + GAMMA * max(b, 0), None, {"gamma": GAMMA}),
    "gamma_signed, z > 0": Row(
        "gamma_signed", lambda a: boosted(a * W, 1), lambda b: b + GAMMA * max(b, 0), "gamma_signed", {"gamma": GAMMA}, -A
    ),
    "gamma_signed, z < 0": Row(
        "gamma_signed", lambda a: boosted(a * W, -1), lambda b: b + GAMMA * min(b, 0), "gamma_signed", {"gamma": GAMMA}
    ),
    "zplus": Row("zplus", lambda a: a * W.clamp(min=0), lambda b: max(b, 0), "zplus", a=A.abs()),
    "zplus_signed": Row("zplus_signed", lambda a: (a * W).clamp(min=0), lambda b: max(b, 0), "zplus_signed"),
    "wsquare": Row("wsquare", lambda a: W**2, lambda b: b**2, "wsquare"),
    "flat": Row("flat", lambda a: torch.ones_like(W), lambda b: 1.0),
    "zbox": Row(
        "zbox",
        lambda a: a * W - LOW * W.clamp(min=0) - HIGH * W.clamp(max=0),
        lambda b: 0.0,
        "zbox",
        {"low": LOW, "high": HIGH},
    ),
    "pattern": Row("pattern", lambda a: W * A, lambda b: 0.0, None, {"pattern": A[None]}),
}


@cache
def traced(domain: dtd.Domain) -> tuple[nn.Linear, dtd.Network]:
    """One unit with weights W, traced once."""
    layer = nn.Linear(4, 1).double()
    with torch.no_grad():
        layer.weight.copy_(W[None])
    return layer, dtd.trace(nn.Sequential(layer).eval(), A[None].abs(), domain=domain)


def unit(b: float, domain: dtd.Domain) -> tuple[nn.Module, dtd.Network]:
    """The unit with bias b; the next call overwrites it."""
    layer, network = traced(domain)
    with torch.no_grad():
        layer.bias.fill_(b)
    return nn.Sequential(layer), network


def bias_term(numerators: Tensor, relevance: Tensor) -> float:
    """β from the input with the largest share; the other inputs must agree."""
    kept = numerators != 0
    terms = numerators[kept] * R / relevance[0, kept] - numerators.sum()
    assert float(terms.max() - terms.min()) < 1e-10
    assert bool((relevance[0, ~kept] == 0).all())
    return float(terms[0])


@pytest.mark.parametrize("key", ROWS)
@pytest.mark.parametrize("mode", ["neuron", "fixed"])
@pytest.mark.parametrize("b", [0.5, -0.5])
def test_denominators(key, mode, b):
    row = ROWS[key]
    x, domain = row.case
    model, network = unit(b, domain)
    of_bias = row.term(b) if mode == "neuron" else 0.0
    numerators = row.numerators(row.a)
    plan = dtd.Plan.uniform(row.rule, mode, **row.parameters)
    for reading in (plan, plan.explicit()):
        found = dtd.explain(network, x, GIVEN, reading)
        assert bias_term(numerators, found.relevance) == pytest.approx(of_bias + row.damping, abs=1e-12)
        share = R * of_bias / float(numerators.sum() + of_bias + row.damping)
        assert float(found.layers["0"].balance.bias) == pytest.approx(share, abs=1e-12)
    if row.zennit:
        relevance = by_zennit(model, x, GIVEN, PAIRS[row.zennit].hook(BIAS_MODES[mode]))
        assert bias_term(numerators, relevance) == pytest.approx(of_bias + row.damping, abs=1e-11)


def test_flat_does_not_count_a_bias_of_zero():
    _, network = unit(0.0, dtd.Real())
    for reading in (dtd.Plan.uniform("flat", "neuron"), dtd.Plan.uniform("flat", "neuron").explicit()):
        found = dtd.explain(network, A[None], GIVEN, reading)
        assert bias_term(torch.ones_like(W), found.relevance) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("mode", ["neuron", "fixed"])
@pytest.mark.parametrize("b", [0.5, -0.5])
def test_alphabeta_has_a_bias_term_in_each_part(mode, b):
    """b⁺ beside the positive contributions, b⁻ beside the negative ones."""
    model, network = unit(b, dtd.Real())
    plan = dtd.Plan.uniform("alphabeta", mode, alpha=2.0, beta=1.0)
    by_each = [dtd.explain(network, A[None], GIVEN, reading).relevance for reading in (plan, plan.explicit())]
    by_each.append(by_zennit(model, A[None], GIVEN, PAIRS["alpha2_beta1"].hook(BIAS_MODES[mode])))
    moves = mode == "neuron"
    for relevance in by_each:
        for part, weight, of_bias in (((A * W).clamp(min=0), 2.0, max(b, 0)), ((A * W).clamp(max=0), -1.0, min(b, 0))):
            own = torch.where(part != 0, relevance / weight, 0.0)
            assert bias_term(part, own) == pytest.approx(of_bias if moves else 0.0, abs=1e-11)


@pytest.mark.parametrize("key", [k for k in ROWS if k not in ("zbox", "pattern")])
def test_distribute_hands_the_neurons_share_evenly_to_the_inputs(key):
    row = ROWS[key]
    x, domain = row.case
    _, network = unit(0.5, domain)
    neuron, spread = (
        dtd.explain(network, x, GIVEN, dtd.Plan.uniform(row.rule, mode, **row.parameters))
        for mode in ("neuron", "distribute")
    )
    share = neuron.layers["0"].balance.bias
    assert float(share.abs()) > 0.01 and float(spread.layers["0"].balance.bias) == 0
    assert torch.allclose(spread.relevance, neuron.relevance + share / 4, rtol=1e-12, atol=0)
