"""The domains: all of ℝᵈ, the orthant and boxes."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtd.callers.copies import Handed, OwnArguments
from dtd.callers.printing import Printed
from dtd.errors import DomainError

Bound = float | Tensor


def exact(bound: Bound) -> Tensor:
    """A bound as a tensor; numbers in float64, so that none is rounded."""
    return bound if isinstance(bound, Tensor) else torch.tensor(bound, dtype=torch.float64)


class Domain(Printed, OwnArguments, Handed, ABC):
    """A product of intervals, one for each activation.

    Which domains hold no negative value.

    >>> import dtd
    >>> [domain.nonnegative for domain in (dtd.Real(), dtd.NonNegative(), dtd.Box(0.0, 1.0), dtd.Box(-1.0, 1.0))]
    [False, True, True, False]
    """

    @abstractmethod
    def bounds(self) -> tuple[Bound, Bound]:
        """Lower and upper bound, each a number or a tensor that broadcasts to the activations."""

    def map(self, function: Callable[[Tensor], Tensor]) -> "Domain":
        """The same domain after a rearrangement of the activations (bounds that are tensors move along)."""
        return self

    def contains(self, a: Tensor, tolerance: float | Tensor = 0.0) -> Tensor:
        """Whether each entry of ``a`` lies inside, up to an absolute ``tolerance``. # shape: that of a"""
        low, high = self.bounds()
        return (a >= low - tolerance) & (a <= high + tolerance)

    def to(self, like: Tensor) -> "Domain":
        """The same domain with tensor bounds in the dtype and on the device of ``like``."""
        return self.map(lambda bound: bound.to(like))

    def within(self, other: "Domain") -> bool:
        """Whether this domain is surely a subset of the other."""
        if isinstance(other, (Real, NonNegative)):
            return isinstance(other, Real) or self.nonnegative
        (low, high), (other_low, other_high) = (map(exact, d.bounds()) for d in (self, other))
        if any(bound.ndim for bound in (other_low, other_high)):
            return self is other  # whether their entries meet is only known where there are activations
        return bool((low >= other_low).all()) and bool((high <= other_high).all())

    def reach(self, a: Tensor, v: Tensor) -> Tensor:
        """The largest ``t`` with ``a − t v`` inside, for ``a`` inside, over the last axis; infinity when it never leaves.

        # shape: a (..., J), v (..., J) -> (...)
        """
        low, high = self.bounds()
        inf = torch.full((), torch.inf, dtype=a.dtype, device=a.device)
        down = torch.where(v > 0, (a - low) / v, inf)
        up = torch.where(v < 0, (a - high) / v, inf)
        return torch.minimum(down, up).amin(-1)

    @cached_property
    def nonnegative(self) -> bool:
        """Whether every point of the domain is ≥ 0."""
        return bool((exact(self.bounds()[0]) >= 0).all())

    @cached_property
    def nonpositive(self) -> bool:
        """Whether every point of the domain is ≤ 0."""
        return bool((exact(self.bounds()[1]) <= 0).all())


@dataclass(frozen=True)
class Real(Domain):
    """All of ℝᵈ.

    It is the domain of an input of which nothing is said.

    >>> import dtd, torch
    >>> dtd.trace(torch.nn.ReLU(), torch.ones(1, 2)).layers[0].domain
    Real()
    """

    def bounds(self) -> tuple[Bound, Bound]:
        return -torch.inf, torch.inf

    def __str__(self):
        return "Real"


@dataclass(frozen=True)
class NonNegative(Domain):
    """The orthant ``a ≥ 0``: activations after a ReLU.

    It is what a ReLU makes of anything.

    >>> import dtd, torch
    >>> dtd.trace(torch.nn.ReLU(), torch.ones(1, 2)).layers[0].image
    NonNegative()
    """

    def bounds(self) -> tuple[Bound, Bound]:
        return 0.0, torch.inf

    def __str__(self):
        return "NonNegative"


@dataclass(frozen=True, eq=False)
class Box(Domain):
    """The box ``low ≤ a ≤ high``: pixels, or activations after a bounded function.

    ``low`` and ``high`` are numbers or tensors that broadcast to ``(B, *shape)``, the batch axis included: a
    number (scalar bounds), ``(1, C, 1, 1)`` (per channel) or ``(B, C, H, W)`` (per sample).

    Raises :class:`DomainError` when a lower bound exceeds its upper bound or a bound is not finite.

    Bounds for each of three channels; a point outside is an error where inputs are checked.

    >>> import dtd, torch
    >>> dtd.Box(torch.zeros(3, 1, 1), 1.0), dtd.Box(-1.0, 1.0).nonnegative
    (Box(tensor(3, 1, 1), 1), False)
    """

    low: Bound
    high: Bound

    def __post_init__(self):
        for name in ("low", "high"):
            object.__setattr__(self, name, checked_bound(name, getattr(self, name)))
        low, high = exact(self.low), exact(self.high)
        try:
            torch.broadcast_tensors(low, high)
        except RuntimeError as error:
            shapes = f"{tuple(low.shape)} and {tuple(high.shape)}"
            raise DomainError(f"Box needs bounds that broadcast to each other; found shapes {shapes}.") from error
        if not bool((low <= high).all() and low.isfinite().all() and high.isfinite().all()):
            raise DomainError(
                f"Box needs finite bounds with low <= high everywhere; found low up to {low.max().item():g} "
                f"against high down to {high.min().item():g}. Without an upper bound use NonNegative, without any Real."
            )

    def bounds(self) -> tuple[Bound, Bound]:
        return self.low, self.high

    def map(self, function: Callable[[Tensor], Tensor]) -> "Domain":
        return Box(*(function(b) if isinstance(b, Tensor) and b.ndim else b for b in self.bounds()))

    def __str__(self):
        low, high = (exact(b) for b in self.bounds())
        mixed = " per entry" if low.numel() > 1 or high.numel() > 1 else ""
        return f"Box[{low.min().item():.3g}, {high.max().item():.3g}]{mixed}"


def numeric(bound: Any) -> Any:
    """A bound of numpy's numbers as a float or a float64 tensor; anything else as it is."""
    if isinstance(bound, (np.ndarray, np.generic)) and bound.dtype.kind in "fiu":
        return torch.as_tensor(bound, dtype=torch.float64) if bound.ndim else float(bound)
    return bound


def checked_bound(name: str, bound: Any) -> Bound:
    """A number or a dense tensor of numbers; numpy's and lists are made one. Raises :class:`DomainError` for others."""
    found = numeric(np.asarray(bound)) if isinstance(bound, (list, tuple)) else numeric(bound)
    number = isinstance(found, (int, float)) and not isinstance(found, bool)
    dense = isinstance(found, Tensor) and found.layout == torch.strided and not found.is_meta and not found.is_complex()
    if not number and not (dense and found.numel() and found.dtype != torch.bool):
        what = f"a tensor of shape {tuple(bound.shape)} on {bound.device}" if isinstance(bound, Tensor) else repr(bound)
        raise DomainError(f"Box needs numbers or dense tensors with entries as bounds; '{name}' is {what}.")
    return found
