"""What a user writes: a network is traced and explained, its layers are read, and a direction is one's own."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

import dtd
from dtd import presets, rules, where
from dtd.algebra import identity, positive


@dataclass(frozen=True)
class Strongest(dtd.Direction):
    """``v_j = a_j w_j⁺``."""

    def factors(self, domain: dtd.Domain) -> tuple[dtd.Factor, ...]:
        return (dtd.Factor(identity, positive),)

    @property
    def requires(self) -> dtd.Domain:
        return dtd.NonNegative()


model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
x = torch.rand(5, 3)
network = dtd.trace(model, x, domain=dtd.Box(0.0, 1.0))
plan = dtd.Plan(
    [
        (where.first, rules.choose("zbox", low=0.0, high=1.0)),
        (where.every & ~where.last, dtd.TrainingFree(dtd.Ray(Strongest(), bias="neuron"))),
        (where.every, rules.choose("epsilon", "neuron", epsilon=1e-6)),
    ]
)
out = dtd.explain(network, x, 1, plan)
relevance = out.relevance
total: Tensor = relevance.sum() if isinstance(relevance, Tensor) else sum(part.sum() for part in out.parts)  # type: ignore[assignment]
zeroth: Tensor = out.layers["0"].balance.zeroth
name: str = network.layers[0].name
valid: float = dtd.audit(network, x, 1, plan)["valid"].mean()
several: list[dtd.Explanation] = list(dtd.explain_each(network, x, [0, 1], presets.epsilon_plus()))
saved: str = dtd.plot.save(out, "x.png", level=2).name
lines: str = dtd.plot.words(out, ["a", "b", "c"]).latex()
version: str = dtd.__version__
formula: dtd.Plan = dtd.Plan.uniform("gamma", gamma=0.25, bias="fixed").explicit()
