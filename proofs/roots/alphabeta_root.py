"""The mixed root of αβ (β > 0) is in ``a >= 0`` exactly where ``α z <= Σ⁺`` and ``β z <= Σ⁻``."""

from dataclasses import replace
from fractions import Fraction

from dtd.algebra import negative, positive, step
from dtd.plans.rules import catalogue
from proofs.judge import Step
from proofs.layers import Family, real
from proofs.roots.equivalence import MARGIN, MINUS, SIZE, SLACK, Region, RootProof, Z, sums
from proofs.roots.margins import margins_of
from proofs.roots.points import rule_points


def parameters(entry, number):
    beta = number("beta") + 0
    return {"alpha": 1 + beta, "beta": beta}


def positive_beta(entry, number):
    """β > 0: with β = 0 the rule is z⁺, with that rule's condition."""
    beta = real("beta", positive=True)
    return {"alpha": 1 + beta, "beta": beta}


def identities(at, margins):
    alpha, beta = at.parameters["alpha"], at.parameters["beta"]
    products = at.a * at.w
    plus, minus, z = at.total(positive(products)), -at.total(negative(products)), at.z
    yield Step("margin_1", margins[0], alpha * z - plus, "the first shipped condition is `α z ≤ Σ⁺`")
    yield Step("margin_2", margins[1], beta * z - minus, "the second is `β z ≤ Σ⁻`")
    up, down = at.a * step(products), at.a * step(-products)
    why = "with `ã = a - z (α v⁺/Σ⁺ + β v⁻/Σ⁻)`: the sign where `w_j > 0` is that of the first margin"
    left = (plus[..., None] * at.a - z[..., None] * alpha * up) * step(products)
    yield Step("Σ⁺ ã_j 1[a_j w_j > 0]", left, -margins[0][..., None] * up, why, reads="- margin_1 a_j 1[a_j w_j > 0]")
    why = "and where `w_j < 0` that of the second; the other inputs stay"
    left = (minus[..., None] * at.a - z[..., None] * beta * down) * step(-products)
    yield Step("Σ⁻ ã_j 1[a_j w_j < 0]", left, -margins[1][..., None] * down, why, reads="- margin_2 a_j 1[a_j w_j < 0]")
    without = plus - minus
    both = alpha * without - plus, beta * without - minus
    yield Step("margins at b = 0", both[0], both[1], "without a bias both conditions say `β Σ⁺ ≤ α Σ⁻`")
    yield Step("margin at b = 0", both[0], beta * plus - alpha * minus, "so the negative contributions must be large")


def regions(at):
    alpha, beta = at.parameters["alpha"], at.parameters["beta"]
    other = real("m'", nonnegative=True)

    def region(title, inside, plus, minus, z=Z, **seen):
        return Region(title, inside, z, sums(at, plus, minus, z), **seen)

    yield region("both margins <= 0", True, alpha * Z + SLACK, beta * Z + other)
    yield region("α z > Σ⁺ > 0", False, SIZE, MINUS, (SIZE + MARGIN) / alpha, seen=("w_j > 0",))
    yield region("β z > Σ⁻ > 0", False, SLACK, SIZE, (SIZE + MARGIN) / beta, seen=("w_j < 0",))
    yield region("Σ⁺ = 0", False, 0 * Z, MINUS)
    yield region("Σ⁻ = 0", False, SLACK, 0 * Z)


def swapped(units, alpha, beta):
    """α and β exchanged."""
    return margins_of(rule, units, beta, alpha)


def first(units, alpha, beta):
    """Only the first margin."""
    return margins_of(rule, units, alpha, beta)[:1]


def draw(random):
    beta = Fraction(random.randint(1, 6), 3)
    return {"alpha": 1 + beta, "beta": beta}


rule = catalogue["alphabeta"]
proof = RootProof(
    rule="alphabeta",
    claim="For an active unit with `a ≥ 0` and `β > 0` the mixed root (`α` times that of `z⁺` minus `β` times that of `z⁻`) "
    "lies in `a ≥ 0` iff `α z ≤ Σ⁺` and `β z ≤ Σ⁻`; without a bias, iff `β Σ⁺ ≤ α Σ⁻`.",
    setting=lambda: Family(parameters=positive_beta).generic("fixed"),
    regions=regions,
    points=lambda: rule_points("alphabeta", draw),
    identities=identities,
    mutants=(
        ("`α` and `β` exchanged", replace(rule, condition=replace(rule.condition, margins=swapped))),
        ("only `α z ≤ Σ⁺`", replace(rule, condition=replace(rule.condition, margins=first))),
    ),
    reference="Montavon 2019, Table 10.1 (DTD only for `α = 1`, `β = 0`)",
    note="With `β > 0` the rule expands at a point that leaves the domain unless negative contributions are large.",
).build()
