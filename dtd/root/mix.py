"""Strategies made of others: affine mixes, and the explicit reading of any."""

from dataclasses import dataclass, replace
from typing import Any

from dtd.domain import Domain
from dtd.errors import check_count, check_parameter, in_short
from dtd.root.base import RootStrategy, WeightedRoots
from dtd.root.units import Units


@dataclass(frozen=True)
class Mix(RootStrategy):
    """An affine mix of expansions, ``Σ_i weight_i × (expansion at root_i)`` with ``Σ_i weight_i = 1``.

    Roots of an affine unit form a hyperplane, so where every part has its root this is the expansion at the mixed
    root ``Σ_i weight_i ã_i`` (αβ: α at the z⁺ root, −β at the z⁻ root). Where a part has none, its share stays in
    the zeroth term.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: 2 (3, −1) − (1.8, 0.2).

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Mix(((2.0, dtd.Ray(dtd.Activations())), (-1.0, dtd.Ray(dtd.Weights())))))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 4.2000, -2.2000]])
    """

    parts: tuple[tuple[float, RootStrategy], ...]

    def __post_init__(self):
        pairs = all(isinstance(part, tuple) and len(part) == 2 for part in self.parts)
        check_parameter(pairs, "parts", "pairs of a weight and a root strategy", self.parts)
        total = sum(weight for weight, _ in self.parts)
        check_parameter(abs(total - 1) < 1e-12, "weights", "an affine combination (sum 1)", total)
        for _, part in self.parts:
            check_parameter(isinstance(part, RootStrategy), "parts", "a root strategy each", part)

    def placed(self, name: str) -> RootStrategy:
        return Mix(tuple((weight, part.placed(name)) for weight, part in self.parts))

    def searches(self) -> tuple[tuple[float, Any], ...] | None:
        searches: list[tuple[float, Any]] = []
        for weight, part in self.parts:
            inner = part.searches()
            if inner is None:
                return None
            searches += [(weight * share, search) for share, search in inner]
        return tuple(searches)

    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        for weight, part in self.parts:
            for share, root in part.roots(units, domain):
                yield weight * share, root

    @property
    def inner(self) -> "tuple[RootStrategy, ...]":
        return tuple(part for _, part in self.parts)


@dataclass(frozen=True)
class Explicit(RootStrategy):
    """The roots of another strategy, each one built: the same relevance, without whole-layer passes.

    ``memory`` bounds the bytes that the roots of one chunk of units may take.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: R = 2 (9, 1)/10, from roots that are built.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Explicit(dtd.Ray(dtd.Weights())))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[1.8000, 0.2000]])
    """

    strategy: RootStrategy
    memory: int = 2**28

    def __post_init__(self):
        check_parameter(isinstance(self.strategy, RootStrategy), "strategy", "a root strategy", in_short(self.strategy))
        check_count("memory", self.memory)

    def placed(self, name: str) -> RootStrategy:
        return replace(self, strategy=self.strategy.placed(name))

    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        return self.strategy.roots(units, domain)

    @property
    def inner(self) -> "tuple[RootStrategy, ...]":
        return (self.strategy,)
