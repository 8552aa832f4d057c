"""Root distributions: the average of the expansions at several roots."""

from dataclasses import dataclass

from torch import Tensor

from dtd.direction import Direction, Jitter, Toward
from dtd.domain import Domain
from dtd.errors import check_parameter
from dtd.root.base import Bias, RootStrategy, WeightedRoots
from dtd.root.mix import Mix
from dtd.root.search import Ray, Reference
from dtd.root.units import Units


@dataclass(frozen=True)
class Average(RootStrategy):
    """``1/N Σ_i (expansion at root_i)``: N strategies as a sample, whose standard error an audit reports.

    A sum of relevance over a root distribution; a unit without the i-th root keeps that N-th part in its zeroth term.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: the mean of (3, −1) and (1.8, 0.2).

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Average((dtd.Ray(dtd.Activations()), dtd.Ray(dtd.Weights()))))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.4000, -0.4000]])
    """

    strategies: tuple[RootStrategy, ...]

    def __post_init__(self):
        check_parameter(len(self.strategies) > 0, "strategies", "at least one root strategy", "none")
        for strategy in self.strategies:
            check_parameter(isinstance(strategy, RootStrategy), "strategies", "root strategies", strategy)

    @property
    def mix(self) -> Mix:
        """The same as a mix of equal weights."""
        return Mix(tuple((1 / len(self.strategies), strategy) for strategy in self.strategies))

    def placed(self, name: str) -> RootStrategy:
        return Average(tuple(strategy.placed(name) for strategy in self.strategies))

    def searches(self) -> "tuple[tuple[float, RootStrategy], ...] | None":
        return self.mix.searches()

    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        return self.mix.roots(units, domain)

    @property
    def inner(self) -> "tuple[RootStrategy, ...]":
        return self.strategies


def jittered(direction: Direction, count: int = 16, spread: float = 1.0, seed: int = 0, bias: Bias = "fixed") -> Average:
    """The average over ``count`` rays whose directions are drawn around one; see :class:`Jitter`.

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: whatever is drawn, w² directions have roots, and R
    sums to 2.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.jittered(dtd.Weights(), count=8))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance.sum()
    tensor(2.)
    """
    check_parameter(count >= 1, "count", ">= 1", count)
    return Average(tuple(Ray(Jitter(direction, spread, seed + i), bias) for i in range(count)))


def towards(points: Tensor, root: bool = True) -> Average:
    """The average over references ``x̃``: the roots on the rays towards them, or (``root=False``) the references themselves.

    # shape: points (N, *in), one reference each for all samples

    A unit with weights (3, −1) at a = (1, 1), so that z = 2: roots towards (0, 0) and (0, 2): the mean of (3, −1)
    and (1.5, 0.5).

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.towards(torch.tensor([[0.0, 0.0], [0.0, 2.0]])))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 2.2500, -0.2500]])
    """
    given = points.unsqueeze(1).unbind(0)
    return Average(tuple(Ray(Toward(point)) if root else Reference(point) for point in given))
