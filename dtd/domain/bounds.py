"""Bounds: checked where they are given, joined where layers meet, held against activations."""

import torch
from torch import Tensor

from dtd.domain.domains import Bound, Box, Domain, NonNegative, Real, exact
from dtd.errors import DomainError, check_number, check_parameter


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
