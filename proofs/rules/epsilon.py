"""LRP-ε: the ray to the origin, stopped before the root; the zeroth term is what ε absorbs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dtd.algebra import sign
from dtd.direction import Activations
from dtd.domain import Real
from dtd.plans.rules import catalogue
from dtd.root import Ray
from proofs.formula import ratio, safe_inverse
from proofs.layers import SIDES, Family
from proofs.rules.derivation import RuleProof, derived_as, without_bias


def paper(at):
    """Bach 2015, Eq. 58: ``a_j w_j / (n + ε sign n) · R`` with ``n = Σ_{0,j} a_j w_j``."""
    return ratio(at, at.a * at.w, at.b, epsilon=at.parameters["epsilon"])


def direction(at):
    return (at.a,)


def zeroth(at):
    """``ε sign n / (n + ε sign n) · R``: with the bias neuron and z > 0 this is ``ε / (z + ε) · R``."""
    n = at.total(at.a * at.w) + (0 if at.bias_mode == "fixed" else at.b)
    damping = at.parameters["epsilon"] * sign(n)
    return at.relevance * damping * safe_inverse(n + damping)


def parameters(entry, number):
    return {"epsilon": number("epsilon", 1)}


@dataclass(frozen=True)
class Unsigned(Ray):
    """ε in place of ε sign n."""

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        return n + self.damping


@dataclass(frozen=True)
class Twice(Ray):
    """2ε in place of ε."""

    damping: Any = 0.0  # a number or a symbol

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        return n + 2 * self.damping * sign(n)


def damped(search):
    """The rule with another search."""
    return replace(catalogue["epsilon"], roots=lambda epsilon, bias: search(Activations(), bias, epsilon))


proof = RuleProof(
    name="epsilon",
    claim="The Taylor terms at the point where the ray to the origin is stopped are LRP-ε, and the zeroth term is "
    "what `ε` absorbs: `ε/(z + ε) R` for an active unit with the bias neuron.",
    paper=paper,
    direction=direction,
    families=tuple(Family(Real(), parameters, side=side, patterned=False) for side in SIDES),
    mutants=(
        ("`ε` without the sign of `n`", damped(Unsigned)),
        ("`2 ε` for `ε`", damped(Twice)),
        ("no damping", derived_as("epsilon", "lrp0")),
        ("explicit rule without the bias", without_bias("epsilon")),
    ),
    zeroth=zeroth,
).build()
