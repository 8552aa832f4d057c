"""A direction of one's own: the rule it gives in closed form, where its root lies, and the check of both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from dtd.direction import Activations, Direction, Weights
from dtd.domain import Domain, NonNegative
from dtd.relevance import Linear, TrainingFree
from dtd.root import Ray
from proofs.formula import ratio
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, Result, never_zero
from proofs.layers import INPUTS, Family, Setting, real
from proofs.notation import line
from proofs.reduce import Reduction
from proofs.roots.equivalence import SIGNS
from proofs.theorems.master import Behind

Formula = Callable[[Any, Any], Any]
N, Z = real("n", positive=True), real("z", positive=True)


@dataclass(frozen=True, eq=False)
class Derived:
    """What a direction gives; ``print`` it. ``result.ok`` says whether every check held and every mutant failed."""

    rule: sympy.Expr  # R_j←k with a fixed bias, for any number of inputs
    size: sympy.Expr  # n = w·v
    coordinates: dict[str, str]  # by the sign of w_j: what keeps the root's coordinate in the domain
    domain: Domain
    result: Result

    def __str__(self) -> str:
        lines = [f"R_j←k = {line(self.rule)}", f"root in {self.domain} (for z > 0) iff n = {line(self.size)} > 0 and"]
        lines += [f"  where {sign}: {text}" for sign, text in self.coordinates.items()]
        found = self.result
        mutants = f"{len(found.killed)} of {len(found.killed) + len(found.survivors)} mutants refuted"
        lines.append(f"{found.verdict}: {found.steps} relations, {found.points} exact points, {mutants}")
        return "\n".join([*lines, *map(str, found.failures[:3])])


def derive(direction: Direction, formula: Formula | None = None, domain: Domain = INPUTS) -> Derived:
    """The rule that a direction gives, as far as sympy can say it; with ``formula(a, w)`` also a check against that.

    ``formula`` gives the contributions ``c_j`` of the rule ``R_j←k = c_j / Σ_i c_i R``, written with +, −, ·, / and the
    functions of :mod:`dtd.algebra`. The check is a :class:`proofs.kernel.Proof`: any number of inputs, all patterns of
    signs, exact points, three bias conventions, and mutants that have to fail.
    """
    at = Family(domain).generic("fixed")
    contributions = at.w * direction_of(direction, at)
    reduction = Reduction()
    (contribution,) = (reduction.normal(c) for c in contributions.flat)
    size = reduction.normal(at.total(contributions).item())
    coordinates = {sign: coordinate(direction, at, sign) for sign in SIGNS}
    result = proof(direction, formula, domain).check()
    return Derived(at.relevance.item() * contribution / size, size, coordinates, domain, result)


def direction_of(direction: Direction, at: Setting) -> Any:
    """``v_kj`` from the factor pairs. # shape: (1, K, J)"""
    v = 0 * at.a
    for factor in direction.factors(at.domain):
        pair = at.units.of_activations(factor.activation) * at.units.of_weights(factor.weight)
        v = v + (pair if factor.side == 0 else factor.gate(at.z)[..., None] * pair)
    return v


def coordinate(direction: Direction, at: Setting, sign: str) -> str:
    """When ``ã_j = a_j − (z/n) v_j`` stays in the domain, for an input with a weight of this sign, n > 0 and z > 0."""
    if not isinstance(at.domain, NonNegative):
        return "always"
    a = real("a_j", nonnegative=True)
    where = {at.input.item(): a, at.w.item(): SIGNS[sign], at.b.item(): Z - at.total(at.a * at.w).item()}
    (v,) = (Reduction(where=where).normal(x) for x in direction_of(direction, at).flat)
    moved = sympy.factor(N * a - Z * v)
    parts = sympy.Mul.make_args(moved)
    free = sympy.Mul(*(part for part in parts if not part.is_nonnegative))
    if free.is_nonnegative:
        return "always"
    return f"{line(free)} ≥ 0" + (", or a_j = 0" if a in parts else "")


def proof(direction: Direction, formula: Formula | None, domain: Domain) -> Proof:
    """The check of a direction, as a proof like the others."""

    def size(at: Setting) -> Any:
        bias = 0 if at.bias_mode == "fixed" else at.b * direction.bias_on(at.b, at.z)
        return at.total(at.w * direction_of(direction, at)) + bias

    def steps(at: Setting, make: Callable[[str], Ray]) -> Iterator[Step]:
        search = make(at.bias_mode)
        root = search.root(at.units, at.domain)
        moved = at.b * (1 - at.z * root.bias_shift)
        yield Step("z(ã)", at.total(at.w * root.points(at.units)) + moved, 0 * at.z, "the point is a root")
        of_bias = at.b * direction.bias_on(at.b, at.z)
        shares = ratio(at, at.w * direction_of(direction, at), of_bias)
        claimed = shares if formula is None else ratio(at, formula(at.a, at.w) + 0 * at.a * at.w, of_bias)
        for model in (Linear, TrainingFree):
            terms = model(search).terms(at.units, at.domain, at.relevance)
            yield Step("R_j←k", terms.first, claimed.first, f"first-order terms of {model.__name__}")
            yield Step("R_bias←k", terms.bias, claimed.bias, "the bias neuron's share")
            yield Step("Σ_j R_j←k + R_bias←k", at.total(terms.first) + terms.bias, at.relevance, "conservation")

    others = [other for other in (Activations(), Weights()) if type(other) is not type(direction)]
    return Proof(
        name=type(direction).__name__,
        claim=f"The Taylor terms along {type(direction).__name__} are its rule.",
        steps=steps,
        conditions=lambda at: (never_zero(size(at), "the denominator of the rule is not 0"),),
        mutants=(
            Mutant("the root behind the data point", lambda bias: Behind(direction, bias)),
            *(Mutant(f"direction {type(x).__name__}", lambda bias, x=x: Ray(x, bias)) for x in others),
        ),
        reference="",
        subject=lambda bias: Ray(direction, bias),
        cases=Family(domain).cases,
    )
