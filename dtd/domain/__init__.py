"""Domains: the set in which a layer's input lives, and in which its root points should lie."""

from dtd.domain.bounds import check_bounds, check_inside, entries, hull, interval, varies_by_sample
from dtd.domain.domains import Bound, Box, Domain, NonNegative, Real, exact, numeric

__all__ = [
    "Bound",
    "Box",
    "Domain",
    "NonNegative",
    "Real",
    "check_bounds",
    "check_inside",
    "entries",
    "exact",
    "hull",
    "interval",
    "numeric",
    "varies_by_sample",
]
