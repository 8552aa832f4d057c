"""Roots, and what every strategy that chooses them has in common.

A root is stored as the displacement from the data point for each unit of pre-activation,
``shift = (a − ã) / z``, so that the terms ``R w·shift`` need no division by ``z`` and keep their limit at ``z = 0``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from torch import Tensor

from dtd.callers.copies import OwnArguments
from dtd.callers.printing import Printed
from dtd.direction import Direction
from dtd.domain import Domain
from dtd.errors import InputError
from dtd.propagation import Layer
from dtd.root.units import Units

Bias = Literal["fixed", "neuron", "distribute"]
WeightedRoots = Iterable[tuple[float, "Root"]]


@dataclass(frozen=True, eq=False)
class Root(Printed):
    """One candidate root for each upper unit. # shape: shift (B, k, J), bias_shift and exists (B, k)

    ``shift`` is ``(a − ã) / z``; ``bias_shift`` the same for the bias neuron ``a_0 = 1`` (0 when the bias is fixed);
    ``exists`` says where the search accepts its point. Where the line holds no root at all (``n = 0``) the shift is 0
    and ``ã = a``; a root behind the data point that the search does not accept keeps its shift. ``distributed``: the bias
    neuron's share goes evenly to the inputs.

    The root of z = 3 a₁ − a₂ nearest to a = (1, 1): the shift (a − ã)/z is w/‖w‖² = (0.3, −0.1). So ã = (0.4, 1.2).

    >>> import dtd, torch
    >>> root = dtd.Root(torch.tensor([[[0.3, -0.1]]]), torch.zeros(1, 1), torch.ones(1, 1))
    >>> torch.ones(2) - 2.0 * root.shift
    tensor([[[0.4000, 1.2000]]])
    """

    shift: Any
    bias_shift: Any
    exists: Any
    distributed: bool = False

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


class RootStrategy(Printed, OwnArguments, ABC):
    """Chooses root points: ``Σ_i weight_i × (expansion at root i)``, one root for most strategies.

    A strategy needs no more than :meth:`roots`. Where it is a weighted sum of :class:`Search` es it says so, and relevance
    passes in whole-layer passes; any other is propagated from its explicit roots, in chunks of units that fit in
    ``memory`` bytes.

    Root strategies are searches (one line for each unit), nearest roots, and averages and mixes of strategies.

    >>> import dtd
    >>> w2 = dtd.Ray(dtd.Weights())
    >>> [isinstance(each, dtd.RootStrategy) for each in (w2, dtd.Nearest(), dtd.Average((w2, w2)), dtd.Mix(((1.0, w2),)))]
    [True, True, True, True]
    """

    memory: int = 2**28

    @abstractmethod
    def roots(self, units: Units, domain: Domain) -> WeightedRoots:
        """The explicit roots of some units, one after another, with their weights (which sum to 1)."""

    def searches(self) -> tuple[tuple[float, Any], ...] | None:
        """The :class:`Search` es that the strategy is a weighted sum of; None where it is not."""
        return None

    @property
    def inner(self) -> "tuple[RootStrategy, ...]":
        """The strategies that this one is made of."""
        return ()

    def placed(self, name: str) -> "RootStrategy":
        """The strategy as it is in the layer ``name``: random directions draw for each layer."""
        return self

    @property
    def sample_wise(self) -> bool:
        """Whether the root of a sample does not depend on the other samples of its batch."""
        return all(strategy.sample_wise for strategy in self.inner)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that are searched, each with what it requires of the inputs."""
        return tuple(direction for strategy in self.inner for direction in strategy.directions)

    def check(self, layer: Layer, a: Tensor) -> None:
        """Raise :class:`DomainError` where a layer's input leaves what a direction requires."""
        for direction in self.directions:
            known = direction.bound(layer.domain)
            layer.check(known.requires, a, type(known).__name__, known.remedy)

    @property
    def bias_moves(self) -> bool:
        """Whether the bias is an input that moves along with the others."""
        return any(strategy.bias_moves for strategy in self.inner)


def mixed(roots: WeightedRoots) -> Root:
    """The point ``Σ_i weight_i ã_i`` as one root; it exists where every part does."""
    shift: Any = 0
    bias_shift: Any = 0
    exists: Any = True
    for weight, root in roots:
        shift = shift + weight * root.shift
        bias_shift = bias_shift + weight * root.bias_shift
        exists = root.exists & exists
    return Root(shift, bias_shift, exists)


def check_bias(bias: str) -> None:
    """Raise :class:`InputError` for an unknown bias mode."""
    if bias not in get_args(Bias):
        raise InputError(f"'bias' must be one of {', '.join(get_args(Bias))}; found {bias!r}.")
