"""Searches along a direction, and mixes of them: the strategies with a fused reading."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dtd.algebra import divide, sign
from dtd.callers.copies import damping_of
from dtd.direction import Direction, Toward
from dtd.domain import Bound, Domain
from dtd.errors import check_bound, check_nonnegative, check_parameter
from dtd.root.base import Bias, Root, RootStrategy, WeightedRoots, check_bias
from dtd.root.units import Units

Damping = float | Callable[[Any], Any]


class Search(RootStrategy):
    """One point along one direction: ``ã = a − z v / D`` with a denominator ``D`` that each search defines.

    With ``n = w·v`` (+ the bias neuron's ``b v_0``), ``D = n`` gives the root of the affine unit on that line.
    """

    direction: Direction
    bias: Bias
    damping_number: float | None = None  # ε where D = n + ε sign n with a number ε; None where D is found in another way
    stops_at_root = True  # 0 ≤ z(ã)/z ≤ 1 by construction: between data point and root every model is linear

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        if "denominator" in cls.__dict__ and "damping_number" not in cls.__dict__:
            cls.damping_number = None  # the parent's is that of another denominator

    def searches(self) -> "tuple[tuple[float, RootStrategy], ...] | None":
        return ((1, self),)

    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        yield 1, self.root(units, domain)

    @property
    def directions(self) -> tuple[Direction, ...]:
        return (self.direction,)

    @abstractmethod
    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        """``D`` from ``n`` and ``z``; ``context(f)`` evaluates ``f`` on the whole layer's ``z`` at these units."""

    def found(self, denominator: Any, z: Any) -> Any:
        """Where the search has a point."""
        return denominator != 0

    @property
    def bias_moves(self) -> bool:
        return self.bias != "fixed"

    def root(self, units: Units, domain: Domain) -> Root:
        """The point of each unit, built from the factor pairs of the direction."""
        direction = self.direction.bound(domain)
        v = vectors(direction, units, domain)
        v_bias = direction.bias_on(units.bias, units.z) if self.bias_moves else 0 * units.z
        n = units.total(units.weights * v) + units.bias * v_bias
        denominator = self.denominator(n, units.z, units.of_outputs)
        inverse = divide(1, denominator)
        found = self.found(denominator, units.z)
        return Root(v * inverse[..., None], v_bias * inverse, found, self.bias == "distribute")


def vectors(direction: Direction, units: Units, domain: Domain) -> Any:
    """``v_kj = Σ_m u_m(a_j) d_m(w_kj)``, the direction of each unit from its factor pairs. # shape: (B, k, J)"""
    v = 0
    for factor in direction.factors(domain):
        pair = units.of_activations(factor.activation) * units.of_weights(factor.weight)
        v = v + (pair if factor.side == 0 else factor.gate(units.z)[..., None] * pair)
    return v


@dataclass(frozen=True)
class Ray(Search):
    """The root of each unit on the ray ``a − t v``: ``t = z / (w·v)``; by the master theorem ``R_j←k = R w v / Σ w v``.

    ``bias``: ``"fixed"`` keeps the bias inside the relevance model; ``"neuron"`` moves it along as an input
    ``a_0 = 1`` with weight ``b``, whose share is reported; ``"distribute"`` hands that share evenly to the inputs.

    ``damping`` ε stops early, ``t = z / (n + ε sign n)``: no longer a root, the zeroth term is what ε absorbs. A
    function of the layer's pre-activations ``(B, *out)`` may give it; one that treats each sample as if it were alone says
    so by an attribute ``sample_wise = True``, and lets samples be explained in parts.

    ``line``: accept roots behind the data point (``t < 0``) too; otherwise such a unit has no root on its ray.

    A unit with weights (3, −1) and bias 2 at a = (1, 1): z = 4 and, along a, w·v = 2, so that R = 4 (3, −1)/2. With
    the bias neuron, w·v = 4, and the bias keeps 2.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([2.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plans = [dtd.Plan([("*", dtd.Ray(dtd.Activations(), bias))]) for bias in ("fixed", "neuron")]
    >>> [dtd.explain(net, torch.ones(1, 2), 0, plan).relevance for plan in plans]
    [tensor([[ 6., -2.]]), tensor([[ 3., -1.]])]
    """

    direction: Direction
    bias: Bias = "fixed"
    damping: Damping = 0.0
    line: bool = False

    def placed(self, name: str) -> RootStrategy:
        return replace(self, direction=self.direction.placed(name))

    def __post_init__(self):
        check_bias(self.bias)
        check_parameter(isinstance(self.direction, Direction), "direction", "a search direction", self.direction)
        if not callable(self.damping):
            check_nonnegative("damping", self.damping, " or a function")

    @property
    def damping_number(self) -> float | None:  # type: ignore[override]
        """ε, where it is a number."""
        return None if callable(self.damping) else float(self.damping)

    @property
    def sample_wise(self) -> bool:
        return not callable(self.damping) or getattr(self.damping, "sample_wise", False)

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        damping = self.damping
        if not callable(damping):
            return n if damping == 0 else n + damping * sign(n)
        return n + context(partial(damping_of, damping)) * sign(n)

    def found(self, denominator: Any, z: Any) -> Any:
        exists = denominator != 0
        return exists if self.line else exists & (z * sign(denominator) >= 0)


@dataclass(frozen=True, eq=False)
class Reference(Search):
    """A given point ``x̃`` in place of a root: ``ã = x̃`` for every unit, whether or not the unit vanishes there.

    ``point`` is a number or a tensor that broadcasts to ``(B, *shape)``. The bias stays fixed. What the unit is worth
    at the point is the zeroth term; a point beyond the unit's linear region leaves a remainder.

    A unit with weights (3, −1) at a = (1, 1) and x̃ = (½, ½): first-order terms w ⊙ (a − x̃), and the unit is worth
    1 at x̃, the zeroth term.

    >>> import dtd, torch
    >>> unit = torch.nn.Linear(2, 1)
    >>> _ = unit.load_state_dict({"weight": torch.tensor([[3.0, -1.0]]), "bias": torch.tensor([0.0])})
    >>> net = dtd.trace(unit, torch.ones(1, 2))
    >>> plan = dtd.Plan([("*", dtd.Reference(0.5))])
    >>> dtd.explain(net, torch.ones(1, 2), 0, plan).relevance
    tensor([[ 1.5000, -0.5000]])
    """

    point: Bound = 0.0
    bias: Bias = "fixed"
    stops_at_root = False

    def __post_init__(self):
        check_parameter(self.bias == "fixed", "bias", "'fixed' for a reference point", self.bias)
        check_bound("point", self.point)

    @property
    def direction(self) -> Direction:  # type: ignore[override]
        return Toward(self.point)

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        return z
