"""Domain conditions: when the root of a rule lies in the domain, in words and as numbers that have to be ≤ 0."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtd.algebra import negative, nonzero, positive, step
from dtd.domain import Domain
from dtd.root.units import Units


@dataclass(frozen=True)
class Condition:
    """When the root of an active unit (``z > 0``, bias fixed) lies in the domain: iff every margin is ≤ 0.

    ``text`` says the same in words. ``margins`` is None where the root lies in ``domain`` whenever it exists, or where there
    is no root.
    """

    domain: type[Domain]
    text: str
    margins: Callable[..., tuple[Any, ...]] | None = None


def contributions(units: Units) -> tuple[Any, Any]:
    """``Σ⁺ = Σ_j (a_j w_kj)⁺`` and ``Σ⁻ = Σ_j |(a_j w_kj)⁻|``. # shape: (B, k) each"""
    products = units.activations * units.weights
    return units.total(positive(products)), -units.total(negative(products))


def margin_lrp0(units: Units):
    """``b ≤ 0``."""
    return (units.bias + 0 * units.z,)


def margin_gamma(units: Units, gamma: float):
    """``b ≤ γ Σ⁻ / (1 + γ)``."""
    return (units.bias - gamma * contributions(units)[1] / (1 + gamma),)


def margin_zplus(units: Units):
    """``b ≤ Σ⁻``."""
    return (units.bias - contributions(units)[1],)


def margin_alphabeta(units: Units, alpha: float, beta: float):
    """``α z ≤ Σ⁺`` and ``β z ≤ Σ⁻``."""
    plus, minus = contributions(units)
    return alpha * units.z - plus, beta * units.z - minus


def margin_zbox(units: Units, low: Any, high: Any):
    """``b + Σ_j (l_j w_kj⁺ + h_j w_kj⁻) ≤ 0``."""
    low, high = (units.of_activations(lambda _, bound=bound: bound) for bound in (low, high))
    return (units.bias + units.total(low * positive(units.weights) + high * negative(units.weights)) + 0 * units.z,)


def margin_flat(units: Units):
    """``z ≤ J a_j w_kj`` for every input with ``w_kj > 0``, of J inputs with ``w_kj ≠ 0``. # shape: (B, k, J)"""
    count = units.total(nonzero(units.weights) + 0 * units.activations)[..., None]
    return (step(units.weights) * (units.z[..., None] - count * units.activations * units.weights),)
