"""Domains: the set in which a layer's input lives, and in which its root points should lie."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtd.callers.printing import Printed
from dtd.errors import DomainError, check_number, check_parameter

Bound = float | Tensor


def exact(bound: Bound) -> Tensor:
    """A bound as a tensor; numbers in float64, so that none is rounded."""
    return bound if isinstance(bound, Tensor) else torch.tensor(bound, dtype=torch.float64)


class Domain(Printed, ABC):
    """A product of intervals, one for each activation."""

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
    """All of ℝᵈ."""

    def bounds(self) -> tuple[Bound, Bound]:
        return -torch.inf, torch.inf

    def __str__(self):
        return "Real"


@dataclass(frozen=True)
class NonNegative(Domain):
    """The orthant ``a ≥ 0``: activations after a ReLU."""

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
    """

    low: Bound
    high: Bound

    def __post_init__(self):
        for name in ("low", "high"):
            object.__setattr__(self, name, checked_bound(name, getattr(self, name)))
        low, high = exact(self.low), exact(self.high)
        try:
            torch.broadcast_shapes(low.shape, high.shape)
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


def check_bounds(low: Bound | None, high: Bound | None) -> None:
    """Raise for bounds that are not both given or both left out, that are no numbers, or of which the lower is the higher.

    :class:`InputError` in the first two cases, :class:`DomainError` in the last.
    """
    check_parameter((low is None) == (high is None), "low and high", "given together", "only one")
    for name, bound in (("low", low), ("high", high)):
        if bound is not None and not hasattr(bound, "shape"):
            check_number(name, bound)
    if isinstance(low, (int, float, Tensor)) and isinstance(high, (int, float, Tensor)):
        Box(low, high)


def varies_by_sample(bound: object) -> bool:
    """Whether a bound (or any other value that broadcasts to a batch) differs between the samples of a batch."""
    return isinstance(bound, Tensor) and bound.ndim > 0 and bound.shape[0] > 1


def hull(*domains: Domain) -> Domain:
    """The smallest of Real, NonNegative and scalar Box that surely contains every given domain."""
    lows = [exact(d.bounds()[0]).min().item() for d in domains]
    highs = [exact(d.bounds()[1]).max().item() for d in domains]
    return interval(min(lows), max(highs))


def entries(low: Tensor, high: Tensor) -> Domain:
    """The box with bounds for each entry, in its simplest form: one interval where all agree or some are infinite."""
    if bool(low.isnan().any() or high.isnan().any()):
        return Real()
    uniform = bool((low == low.flatten()[0]).all() and (high == high.flatten()[0]).all()) if low.numel() else False
    if uniform or not bool(low.isfinite().all() and high.isfinite().all()):
        return interval(low.min().item(), high.max().item())
    return Box(low, high)


def interval(low: float, high: float) -> Domain:
    """The domain ``[low, high]`` in its simplest form; an infinite upper bound forgets a positive lower one."""
    if low > -torch.inf and high < torch.inf:
        return Box(low, high)
    return NonNegative() if low >= 0 else Real()


def check_inside(domain: Domain, a: Tensor, what: str, advice: str) -> None:
    """Raise :class:`DomainError` when ``a`` leaves ``domain``; bounds must broadcast to ``a``."""
    try:
        inside = bool(domain.contains(a).expand(a.shape).all())  # raises where bounds have more samples than a
    except RuntimeError as error:
        low, high = (tuple(exact(b).shape) for b in domain.bounds())
        raise DomainError(
            f"{what}: the bounds of {domain} must broadcast to {tuple(a.shape)}; found shapes {low} and {high}. "
            f"Give numbers, (1, C, 1, 1) or (B, C, H, W)."
        ) from error
    if not inside:
        raise DomainError(
            f"{what} needs values in {domain}; found values from {a.min().item():.4g} to {a.max().item():.4g}. {advice}"
        )
