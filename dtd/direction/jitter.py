"""Random directions around a given one: samples of the roots that a rule could as well have used."""

from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import torch
from torch import Tensor

from dtd.direction.base import Direction, Factor
from dtd.direction.functions import Function, WeightFunction
from dtd.domain import Domain
from dtd.errors import check_nonnegative, check_parameter


@dataclass(frozen=True)
class Scaled(WeightFunction):
    """``d(w) e`` with one positive random number for each entry of the weight."""

    function: Function
    spread: float
    seed: int

    def __call__(self, w: Tensor) -> Tensor:
        normal = torch.randn(w.shape, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)
        return self.function(w) * (self.spread * normal).exp().to(w)


@dataclass(frozen=True)
class Jitter(Direction):
    """``v_kj e_kj`` with ``log e ~ N(0, spread²)``: a direction in the same orthant as the given one, whatever its rule.

    Where ``w_kj v_kj ≥ 0`` for all j (z⁺, w², flat, z^B), every such direction has a root on its ray. One draw for each
    entry of the weight, the same for all samples (and positions). In a plan each layer draws for itself: its name enters the
    seed. A moving bias neuron keeps its own direction.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: w² directions share by any weights, and nothing is
    lost.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Ray(dtd.Jitter(dtd.Weights())))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance.sum()
    tensor(2.)
    """

    direction: Direction
    spread: float = 1.0
    seed: int = 0

    def __post_init__(self):
        check_parameter(isinstance(self.direction, Direction), "direction", "a search direction", self.direction)
        check_nonnegative("spread", self.spread)

    @property
    def requires(self) -> Domain:
        return self.direction.requires

    @property
    def remedy(self) -> str:
        return self.direction.remedy

    def placed(self, name: str) -> "Direction":
        seed = crc32(f"{self.seed} {name}".encode())
        return replace(self, direction=self.direction.placed(name), seed=seed)

    def bound(self, domain: Domain) -> "Direction":
        return replace(self, direction=self.direction.bound(domain))

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        inner = self.direction.factors(domain)
        return tuple(Factor(f.activation, Scaled(f.weight, self.spread, self.seed), f.side) for f in inner)

    def bias(self, b: Any) -> Any:
        return self.direction.bias(b)

    def bias_on(self, b: Any, z: Any) -> Any:
        return self.direction.bias_on(b, z)
