"""``every margin <= 0`` ⟺ the root exists on the ray and lies in the domain: for symbols, and at exact points.

An active unit is described by ``z > 0``, ``Σ⁺ = Σ (a w)⁺``, ``Σ⁻ = Σ |(a w)⁻|`` and the bias ``b = z − Σ⁺ + Σ⁻``; margins
and roots depend on the other inputs through these sums only. A :class:`Region` gives them values that fix the sign of a
margin and of the ray's denominator n; together the regions of a rule cover all active units. In each, both sides of
the equivalence must come out as true, or both as false.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sympy

from dtd.algebra import positive
from dtd.plans.rules import Rule, catalogue
from dtd.root import mixed
from proofs.judge import Step, every
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.layers import ANY, Setting, real
from proofs.reduce import Reduction
from proofs.roots.margins import margins_of

Z = real("z", positive=True)
MARGIN, SIZE = real("m", positive=True), real("q", positive=True)
SLACK, MINUS = real("m", nonnegative=True), real("Sigma_minus", nonnegative=True)
PLUS = real("Sigma_plus")
SIGNS = {"w_j > 0": real("w_j", positive=True), "w_j < 0": real("w_j", negative=True), "w_j = 0": sympy.S.Zero}


@dataclass(frozen=True, eq=False)
class Region:
    """A set of active units: the values of their sums, and whether their root exists and stays in the domain.

    ``seen`` are the inputs (by the sign of their weight) at which that can be told: all of them inside; outside those
    that leave, or any where no root exists.
    """

    title: str
    inside: bool
    z: sympy.Expr
    sums: dict[sympy.Expr, sympy.Expr]
    seen: tuple[str, ...] = tuple(SIGNS)
    entries: dict[str, dict] = field(default_factory=dict)  # sign -> values of the input itself


@dataclass(frozen=True, eq=False)
class RootProof:
    """A rule's domain condition: its regions, its points, and the identities that explain it."""

    rule: str
    claim: str
    setting: Callable[[], Setting]  # any number of inputs
    regions: Callable[[Setting], Iterable[Region]]
    points: Callable[[], Iterable[tuple[str, Setting]]]
    identities: Callable[[Setting, tuple], Iterable[Step]]
    mutants: tuple[tuple[str, Rule], ...]
    reference: str
    subject: Rule | None = None  # the catalogue's rule, unless the condition is typed
    assumes: tuple[str, ...] = ()
    note: str = ""

    def build(self) -> Proof:
        return Proof(
            name=f"{self.rule}_root",
            claim=self.claim,
            steps=self.steps,
            conditions=unconditional,
            mutants=tuple(Mutant(change, rule) for change, rule in self.mutants),
            reference=self.reference,
            subject=self.subject or catalogue[self.rule],
            cases=self.cases,
            assumes=self.assumes,
            note=self.note,
        )

    def cases(self) -> Iterator[Case]:
        for title, at in self.points():
            yield Case(title, (at, None), point=True)
        at = self.setting()
        yield Case("any J", (at, None), shown=True, extent=ANY)
        for region in self.regions(at):
            for sign in region.seen:
                yield Case(f"{region.title}; {sign}", (at, region), where=self.where(at, region, sign), extent=ANY)

    def where(self, at: Setting, region: Region, sign: str) -> dict:
        """The values of a region's sums and of the input that is looked at."""
        a = real("a_j", nonnegative=True) if region.inside else real("a_j", positive=True)
        entry = {at.input.item(): a, at.w.item(): SIGNS[sign.split(",")[0]], **region.entries.get(sign, {})}
        return {**entry, **region.sums}

    def steps(self, case: tuple, rule: Rule) -> Iterator[Step]:
        at, region = case
        margins = margins_of(rule, at.units, **at.parameters)
        if region is None and at.units.map.weight.shape == (1, 1):
            yield from self.identities(at, margins)
            return
        root = mixed(rule.derived(bias="fixed", **at.parameters).roots(at.units, at.domain))
        holds = sympy.And(*(every(margin <= 0) for margin in margins))
        stays = sympy.And(every(root.exists), contained(at, root.points(at.units)))
        if region is None:
            yield Step(
                "condition", bool(holds), bool(stays), "the condition says whether the root is there and in the domain"
            )
            return
        yield Step("z", region.z, 0, "the unit is active", ">")
        yield Step("condition", holds, region.inside, "every margin is <= 0")
        yield Step("root", stays, region.inside, "the root exists on the ray and stays in the domain")


def contained(at: Setting, points: Any) -> Any:
    """Whether points lie in the layer's domain (in the box, where the rule has one)."""
    if "low" not in at.parameters:
        return every(points >= 0)
    low, high = (at.units.of_activations(lambda _, bound=at.parameters[name]: bound) for name in ("low", "high"))
    return sympy.And(every(points >= low), every(points <= high))


def sums(at: Setting, plus: sympy.Expr, minus: sympy.Expr, z: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """Values of the sums over the inputs, and of the bias that goes with them."""
    plain = Reduction()
    ups, *rest = sympy.Add.make_args(plain.normal(at.total(positive(at.a * at.w)).item()))
    both = plain.normal(at.total(at.a * at.w).item())
    return {ups: plus - sum(rest), both: plus - minus, at.b.item(): z - plus + minus}


def ray_regions(rule: str, direction: Callable[[Setting], tuple]) -> Callable[[Setting], Iterator[Region]]:
    """The regions of a rule with one margin and one ray on ``a >= 0``, found by solving for the sums."""

    def regions(at: Setting) -> Iterator[Region]:
        known = Reduction(where=sums(at, PLUS, MINUS, Z))
        margin, size = (
            sympy.together(known.normal(x.item()))
            for x in (margins_of(catalogue[rule], at.units, **at.parameters)[0], at.total(at.w * direction(at)[0]))
        )

        def region(title: str, inside: bool, plus: sympy.Expr, z: sympy.Expr = Z, **seen) -> Region:
            return Region(title, inside, z, sums(at, plus, MINUS, z), **seen)

        yield region("margin <= 0", True, solved([margin + SLACK], PLUS)[PLUS])
        both = solved([margin - MARGIN, size - SIZE], PLUS, Z)
        yield region("margin > 0, n > 0", False, both[PLUS], both[Z], seen=("w_j > 0",))
        yield region("n = 0", False, solved([size], PLUS)[PLUS])
        yield region("n < 0", False, solved([size + SIZE], PLUS)[PLUS])

    return regions


def solved(equations: list[sympy.Expr], *unknowns: sympy.Symbol) -> dict[sympy.Symbol, sympy.Expr]:
    """The one solution of linear equations, whatever the signs of the unknowns."""
    free = {x: sympy.Dummy() for x in unknowns}
    (solution,) = sympy.linsolve([e.subs(free) for e in equations], *free.values())
    return {x: sympy.factor(value) for x, value in zip(unknowns, solution, strict=True)}
