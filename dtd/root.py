"""Root strategies: which point each upper unit is expanded at.

A root is stored as the displacement from the data point for each unit of pre-activation,
``shift = (a − ã) / z``, so that the terms ``R w·shift`` need no division by ``z`` and keep their limit at ``z = 0``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dtd.algebra import divide, sign
from dtd.direction import Direction, Toward
from dtd.domain import Bound, Domain
from dtd.errors import InputError, check_parameter
from dtd.units import Units

Bias = Literal["fixed", "neuron", "distribute"]
Damping = float | Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Root:
    """One candidate root for each upper unit. # shape: shift (B, k, J), bias_shift and exists (B, k)

    ``shift`` is ``(a − ã) / z``; ``bias_shift`` the same for the bias neuron ``a_0 = 1`` (0 when the bias is fixed);
    ``exists`` says where the search accepts its point. Where the line holds no root at all (``n = 0``) the shift is 0
    and ``ã = a``; a root behind the data point that the search does not accept keeps its shift.
    """

    shift: Any
    bias_shift: Any
    exists: Any

    def points(self, units: Units) -> Any:
        """Root points ``ã = a − z shift``. # shape: (B, k, J)"""
        return units.activations - units.z[..., None] * self.shift

    def residual(self, units: Units) -> tuple[Any, Any]:
        """``r = z(ã) / z`` from the point itself (0 at a root, 1 at the data point), and its rounding error.

        # shape: (B, k) each
        """
        terms = units.weights * self.shift
        bias = units.bias * self.bias_shift
        return 1 - units.total(terms) - bias, units.rounding(terms) * (1 + abs(bias))


class RootStrategy(ABC):
    """Chooses root points: ``Σ_i weight_i × (expansion at root i)``, one root for most strategies.

    Every strategy here is a weighted sum of :class:`Search` es.
    """

    @abstractmethod
    def searches(self) -> tuple[tuple[float, "Search"], ...]:
        """The searches with their weights (which sum to 1)."""

    def roots(self, units: Units, domain: Domain) -> tuple[tuple[float, Root], ...]:
        """The explicit roots of some units, with their weights."""
        return tuple((weight, search.root(units, domain)) for weight, search in self.searches())


class Search(RootStrategy):
    """One point along one direction: ``ã = a − z v / D`` with a denominator ``D`` that each search defines.

    With ``n = w·v`` (+ the bias neuron's ``b v_0``), ``D = n`` gives the root of the affine unit on that line.
    """

    direction: Direction
    bias: Bias
    stops_at_root = True  # 0 ≤ z(ã)/z ≤ 1 by construction: between data point and root every model is linear

    def searches(self):
        return ((1, self),)

    @abstractmethod
    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        """``D`` from ``n`` and ``z``; ``context(f)`` evaluates ``f`` on the whole layer's ``z`` at these units."""

    def found(self, denominator: Any, z: Any) -> Any:
        """Where the search has a point."""
        return denominator != 0

    @property
    def bias_moves(self) -> bool:
        """Whether the bias is an input that moves along with the others."""
        return self.bias != "fixed"

    def root(self, units: Units, domain: Domain) -> Root:
        """The point of each unit, built from the factor pairs of the direction."""
        direction = self.direction.bound(domain)
        v = 0
        for factor in direction.factors(domain):
            pair = units.of_activations(factor.activation) * units.of_weights(factor.weight)
            v = v + (pair if factor.side == 0 else factor.gate(units.z)[..., None] * pair)
        v_bias = direction.bias_on(units.bias, units.z) if self.bias_moves else 0 * units.z
        n = units.total(units.weights * v) + units.bias * v_bias
        denominator = self.denominator(n, units.z, units.of_outputs)
        inverse = divide(1, denominator)
        return Root(v * inverse[..., None], v_bias * inverse, self.found(denominator, units.z))


@dataclass(frozen=True)
class Ray(Search):
    """The root of each unit on the ray ``a − t v``: ``t = z / (w·v)``; by the master theorem ``R_j←k = R w v / Σ w v``.

    ``bias``: ``"fixed"`` keeps the bias inside the relevance model; ``"neuron"`` moves it along as an input
    ``a_0 = 1`` with weight ``b``, whose share is reported; ``"distribute"`` hands that share evenly to the inputs.

    ``damping`` ε stops early, ``t = z / (n + ε sign n)``: no longer a root, the zeroth term is what ε absorbs. A
    function of the layer's pre-activations ``(B, *out)`` may give it.

    ``line``: accept roots behind the data point (``t < 0``) too; otherwise such a unit has no root on its ray.
    """

    direction: Direction
    bias: Bias = "fixed"
    damping: Damping = 0.0
    line: bool = False

    def __post_init__(self):
        check_bias(self.bias)
        check_parameter(callable(self.damping) or self.damping >= 0, "damping", ">= 0 or a function", self.damping)

    def denominator(self, n, z, context):
        if not callable(self.damping) and self.damping == 0:
            return n
        epsilon = context(self.damping) if callable(self.damping) else self.damping
        if callable(self.damping):
            check_parameter(bool((epsilon >= 0).all()), "damping", "a function with values >= 0", epsilon)
        return n + epsilon * sign(n)

    def found(self, denominator, z):
        exists = denominator != 0
        return exists if self.line else exists & (z * sign(denominator) >= 0)


@dataclass(frozen=True, eq=False)
class Reference(Search):
    """A given point ``x̃`` in place of a root: ``ã = x̃`` for every unit, whether or not the unit vanishes there.

    ``point`` is a number or a tensor that broadcasts to ``(B, *shape)``. The bias stays fixed. What the unit is worth
    at the point is the zeroth term; a point beyond the unit's linear region leaves a remainder.
    """

    point: Bound = 0.0
    bias: Bias = "fixed"
    stops_at_root = False

    def __post_init__(self):
        check_parameter(self.bias == "fixed", "bias", "'fixed' for a reference point", self.bias)

    @property
    def direction(self) -> Direction:
        return Toward(self.point)

    def denominator(self, n, z, context):
        return z


@dataclass(frozen=True)
class Mix(RootStrategy):
    """An affine mix of expansions, ``Σ_i weight_i × (expansion at root_i)`` with ``Σ_i weight_i = 1``.

    Roots of an affine unit form a hyperplane, so where every part has its root this is the expansion at the mixed
    root ``Σ_i weight_i ã_i`` (αβ: α at the z⁺ root, −β at the z⁻ root). Where a part has none, its share stays in
    the zeroth term.
    """

    parts: tuple[tuple[float, Search], ...]

    def __post_init__(self):
        total = sum(weight for weight, _ in self.parts)
        check_parameter(abs(total - 1) < 1e-12, "weights", "an affine combination (sum 1)", total)
        for _, part in self.parts:
            check_parameter(isinstance(part, Search), "parts", "a Ray or a Reference each", part)

    def searches(self):
        return self.parts


def mixed(roots: tuple[tuple[float, Root], ...]) -> Root:
    """The point ``Σ_i weight_i ã_i`` as one root; it exists where every part does."""
    (weight, first), *rest = roots
    shift, bias_shift, exists = weight * first.shift, weight * first.bias_shift, first.exists
    for weight, root in rest:
        shift = shift + weight * root.shift
        bias_shift = bias_shift + weight * root.bias_shift
        exists = exists & root.exists
    return Root(shift, bias_shift, exists)


def check_bias(bias: str) -> None:
    """Raise :class:`InputError` for an unknown bias mode."""
    if bias not in get_args(Bias):
        raise InputError(f"'bias' must be one of {', '.join(get_args(Bias))}; found {bias!r}.")
