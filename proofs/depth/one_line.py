"""LRP-0, γ, z⁺ and αβ lie on one line: each unit has an α of its own, and its relevance grows by ``2 α − 1``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dtd.algebra import divide, negative, positive, step
from dtd.plans.rules import catalogue
from dtd.relevance import Linear
from proofs.judge import Condition, Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family, Setting

ALPHAS: dict[str, Callable[[Any, Any, Any], Any]] = {  # α of a unit, from Σ⁺, Σ⁻ and the rule's parameter
    "lrp0": lambda plus, minus, _: 1 + minus / (plus - minus),
    "gamma": lambda plus, minus, gamma: 1 + minus / ((1 + gamma) * plus - minus),
    "zplus": lambda plus, minus, _: 1 + 0 * plus,
    "alphabeta": lambda plus, minus, beta: 1 + beta + 0 * plus,
}


@dataclass(frozen=True)
class Subject:
    """The shipped strategies, and by how much relevance grows under α."""

    derived: Callable[..., Any] = lambda rule, numbers: catalogue[rule].derived(**numbers)
    growth: Callable[[Any], Any] = lambda alpha: 2 * alpha - 1


def parameters(entry: Callable, number: Callable) -> dict[str, Any]:
    """γ, which stands for β = α − 1 too."""
    return {"gamma": number("gamma")}


def numbers(rule: str, at: Setting) -> dict[str, Any]:
    """The parameter of a rule."""
    gamma = at.parameters["gamma"]
    return {"gamma": {"gamma": gamma}, "alphabeta": {"alpha": 1 + gamma}}.get(rule, {})


def sums(at: Setting) -> tuple[Any, Any]:
    """``Σ⁺`` and ``Σ⁻``: what speaks for a unit, and against it. # shape: (1, K) each"""
    return at.total(at.a * positive(at.w)), -at.total(at.a * negative(at.w))


def conditions(at: Setting) -> Iterator[Condition]:
    plus, minus = sums(at)
    yield never_zero(plus, "`Σ⁺ ≠ 0`")
    yield never_zero(minus, "`Σ⁻ ≠ 0`")
    yield never_zero(plus - minus, "`n` of LRP-0 is not 0")
    yield never_zero((1 + at.parameters["gamma"]) * plus - minus, "`n` of LRP-γ is not 0")


def steps(at: Setting, subject: Subject) -> Iterator[Step]:
    plus, minus = sums(at)
    up = at.a * positive(at.w) * divide(1, plus)[..., None]
    down = -at.a * negative(at.w) * divide(1, minus)[..., None]
    yield Step("Σ_j p_j", at.total(up), 1 + 0 * plus, "`p`: shares of what speaks for the unit, those of `z⁺`")
    yield Step("Σ_j q_j", at.total(down), 1 + 0 * plus, "`q`: shares of what speaks against it")
    for rule, alpha_of in ALPHAS.items():
        alpha = alpha_of(plus, minus, at.parameters["gamma"])
        found = subject.derived(rule, numbers(rule, at))
        first = Linear(found).terms(at.units, at.domain, at.relevance).first
        line = at.relevance[..., None] * (alpha[..., None] * up - (alpha - 1)[..., None] * down)
        yield Step("R_j←k", first, line, f"{rule}: `R (α p_j - (α - 1) q_j)` with the unit's own α")
        size = at.total(first * (step(at.w) - step(-at.w)))
        grown = at.relevance * subject.growth(alpha)
        yield Step("Σ_j sign(w_j) R_j←k", size, grown, f"{rule}: `(2 α - 1) R`, which is `Σ_j |R_j←k|` where `α ≥ 1`")


plain = Subject()
proof = Proof(
    name="one_line",
    claim="On `a ≥ 0` with a fixed bias LRP-0, LRP-γ, `z⁺` and αβ hand down `R (α p - (α - 1) q)` with the same two "
    "non-negative distributions `p`, `q` and a unit's own α: `1 + Σ⁻/(Σ⁺ - Σ⁻)`, `1 + Σ⁻/((1 + γ) Σ⁺ - Σ⁻)`, 1, and α. "
    "So relevance grows by `2 α - 1` where `α ≥ 1`: without bound for LRP-0 as `Σ⁺` and `Σ⁻` cancel, by "
    "`((1 + γ) Σ⁺ + Σ⁻)/((1 + γ) Σ⁺ - Σ⁻)` for γ, not at all for `z⁺`, by `2 α - 1` for αβ.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("growth by α", replace(plain, growth=lambda alpha: alpha)),
        Mutant("`z⁺` for αβ", replace(plain, derived=lambda rule, given: catalogue["zplus"].derived())),
        Mutant(
            "half of γ",
            replace(
                plain, derived=lambda rule, given: catalogue[rule].derived(**{name: x / 2 for name, x in given.items()})
            ),
        ),
    ),
    reference="Bach 2015, Eq. 60; Montavon 2019, Sec. 10.2.1; the growth is the condition number of the sum z",
    subject=plain,
    cases=lambda: Family(parameters=parameters, patterned=False, units=1).cases(("fixed",), points=24),
    note="Where `α < 1` (a unit with `n < 0`) the two distributions change places, and relevance grows by `|2 α - 1|`.",
)
