"""The catalogue: every LRP rule as derived relevance model and as explicit formula, with its domain condition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from dtd import direction, lrp
from dtd.algebra import negative, positive
from dtd.domain import Box, Domain, NonNegative, Real
from dtd.errors import InputError, check_parameter
from dtd.propagation import Layer
from dtd.root import Mix, Ray, RootStrategy, check_bias
from dtd.root.units import Units


@dataclass(frozen=True)
class Condition:
    """When the root of an active unit (``z > 0``, bias fixed) lies in the domain: iff every margin is ≤ 0.

    ``margins`` is None where the root always lies in ``domain``, or where no closed form decides it (``text`` says).
    """

    domain: Domain
    text: str
    margins: Callable[..., tuple[Any, ...]] | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: ``derived(bias=…, **parameters)`` gives the root strategy, ``explicit(…)`` the papers' formula."""

    name: str
    alias: str
    derived: Callable[..., RootStrategy]
    explicit: Callable[..., lrp.LRPRule]
    condition: Condition
    reference: str


@dataclass(frozen=True)
class Choice:
    """A rule of the catalogue with its parameters, before it is known which layer it is for.

    A parameter that is a mapping is looked up by layer name (patterns, one γ for each layer).
    """

    rule: Rule
    bias: str
    parameters: tuple[tuple[str, Any], ...]

    def _of(self, layer: Layer) -> dict[str, Any]:
        values = {}
        for name, value in self.parameters:
            if isinstance(value, Mapping):
                if layer.name not in value:
                    raise InputError(f"'{name}' of rule '{self.rule.name}' has no entry for layer '{layer.name}'.")
                value = value[layer.name]
            values[name] = value
        return values

    def derived(self, layer: Layer) -> RootStrategy:
        """The root strategy for a layer."""
        return self._make(self.rule.derived, layer)

    def explicit(self, layer: Layer) -> lrp.LRPRule:
        """The explicit rule for a layer."""
        return self._make(self.rule.explicit, layer)

    def _make(self, factory: Callable[..., Any], layer: Layer) -> Any:
        try:
            return factory(bias=self.bias, **self._of(layer))
        except TypeError as error:
            given = ", ".join(name for name, _ in self.parameters) or "none"
            raise InputError(f"Rule '{self.rule.name}' cannot take its parameters ({given}): {error}.") from error

    def __str__(self) -> str:
        shown = [f"{name}={value:g}" for name, value in self.parameters if isinstance(value, (int, float))]
        return f"{self.rule.name}({', '.join([*shown, f'bias={self.bias}'])})"


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


def ray(make: Callable[..., direction.Direction]) -> Callable[..., Ray]:
    """The root on the ray along a direction with the given parameters."""
    return lambda bias="fixed", **parameters: Ray(make(**parameters), bias)


def damped(epsilon: Any = 1e-6, bias: str = "neuron") -> Ray:
    """LRP-ε: the ray to the origin, stopped early."""
    return Ray(direction.Activations(), bias, epsilon)


def epsilon_formula(epsilon: Any = 1e-6, bias: str = "neuron") -> lrp.LRPEpsilon:
    """The explicit ε rule."""
    check_parameter(callable(epsilon) or epsilon >= 0, "epsilon", ">= 0 or a function", epsilon)
    return lrp.LRPEpsilon(bias=bias, epsilon=epsilon)


def two_roots(alpha: float = 2.0, beta: float | None = None, bias: str = "fixed") -> Mix:
    """αβ: α times the expansion at the z⁺ root, −β times that at the z⁻ root, which lies behind an active unit."""
    beta = alpha - 1 if beta is None else beta
    check_parameter(abs(alpha - beta - 1) < 1e-12, "alpha - beta", "1", alpha - beta)
    plus, minus = (Ray(direction.Contributions(sign), bias, line=sign < 0) for sign in (1, -1))
    return Mix(((alpha, plus), (-beta, minus)) if beta else ((alpha, plus),))


def alphabeta_formula(alpha: float = 2.0, beta: float | None = None, bias: str = "fixed") -> lrp.LRPAlphaBeta:
    """The explicit αβ rule with β = α − 1 unless given."""
    return lrp.LRPAlphaBeta(bias=bias, alpha=alpha, beta=alpha - 1 if beta is None else beta)


RULES = (
    Rule(
        "lrp0",
        "LRP-0, z-rule",
        ray(direction.Activations),
        lrp.LRPEpsilon,
        Condition(NonNegative(), "root at a ≥ 0 iff b ≤ 0", margin_lrp0),
        "Bach 2015, Eq. 56; Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        "epsilon",
        "LRP-ε",
        damped,
        epsilon_formula,
        Condition(NonNegative(), "no root for ε > 0: the zeroth term is ε/(z + ε) R (bias neuron)"),
        "Bach 2015, Eq. 58; Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        "gamma",
        "LRP-γ",
        ray(direction.Gamma),
        lrp.LRPGamma,
        Condition(NonNegative(), "root at a ≥ 0 iff b ≤ γ Σ⁻ / (1 + γ)", margin_gamma),
        "Montavon 2019, Sec. 10.2.1",
    ),
    Rule(
        "gamma_signed",
        "generalised LRP-γ",
        ray(direction.SignedGamma),
        lrp.LRPSignedGamma,
        Condition(Real(), "root anywhere in ℝᵈ"),
        "Andéol 2021 (generalised γ rule)",
    ),
    Rule(
        "zplus",
        "z⁺, α1β0",
        ray(direction.ZPlus),
        lrp.LRPZPlus,
        Condition(NonNegative(), "root at a ≥ 0 iff b ≤ Σ⁻", margin_zplus),
        "Montavon 2017, Sec. 4.2",
    ),
    Rule(
        "zplus_signed",
        "z⁺ for signed inputs",
        ray(direction.Contributions),
        lrp.LRPSignedZPlus,
        Condition(Real(), "root anywhere in ℝᵈ; between a and 0 iff b ≤ Σ⁻"),
        "Bach 2015, Eq. 60 (α = 1, β = 0)",
    ),
    Rule(
        "alphabeta",
        "LRP-αβ",
        two_roots,
        alphabeta_formula,
        Condition(NonNegative(), "root at a ≥ 0 iff α z ≤ Σ⁺ and β z ≤ Σ⁻", margin_alphabeta),
        "Bach 2015, Eq. 60",
    ),
    Rule(
        "wsquare",
        "w²",
        ray(direction.Weights),
        lrp.LRPWSquare,
        Condition(Real(), "always in ℝᵈ, and the nearest root there"),
        "Montavon 2017, Sec. 4.1",
    ),
    Rule(
        "zbox",
        "z^B",
        ray(direction.ToBox),
        lrp.LRPZBox,
        Condition(Box(0.0, 1.0), "root in the box iff the box holds one: b + Σ (l w⁺ + h w⁻) ≤ 0", margin_zbox),
        "Montavon 2017, Sec. 4.2",
    ),
    Rule(
        "flat",
        "flat, w→1",
        ray(direction.Flat),
        lrp.LRPFlat,
        Condition(Real(), "formal root in ℝᵈ (needs every w ≠ 0), rarely inside a smaller domain"),
        "Lapuschkin 2019, Methods",
    ),
    Rule(
        "pattern",
        "PatternAttribution",
        ray(direction.Pattern),
        lrp.LRPPattern,
        Condition(Real(), "root in ℝᵈ wherever w·p ≠ 0"),
        "Kindermans 2018, Sec. 4",
    ),
)

catalogue: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
assert len(catalogue) == len(RULES), "rule names must be unique"


def choose(name: str, bias: str = "fixed", **parameters: Any) -> Choice:
    """A rule of the catalogue by name, for a :class:`dtd.Plan`; values of its parameters are checked when a layer is bound.

    Raises :class:`InputError` for a name that the catalogue lacks, and for a parameter that the rule does not have.
    """
    if not isinstance(name, str) or name not in catalogue:
        raise InputError(
            f"No rule '{name if isinstance(name, str) else type(name).__name__}'; the catalogue has {', '.join(catalogue)}."
        )
    check_bias(bias)
    known = [parameter for parameter in signature(catalogue[name].explicit).parameters if parameter != "bias"]
    unknown = [parameter for parameter in parameters if parameter not in known]
    if unknown:
        raise InputError(f"Rule '{name}' has no parameter '{unknown[0]}'; it has {', '.join(known) or 'none but bias'}.")
    return Choice(catalogue[name], bias, tuple(sorted(parameters.items())))
