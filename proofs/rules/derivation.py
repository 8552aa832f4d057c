"""The steps that every rule of the catalogue goes through, from its direction to the paper's formula."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dtd.direction import Direction
from dtd.plans.rules import Rule, catalogue
from dtd.relevance import Linear, TrainingFree
from dtd.root import Ray
from proofs.formula import Shares
from proofs.judge import Step
from proofs.kernel import Mutant, Proof
from proofs.layers import Family, Setting

Paper = Callable[[Setting], Shares]


@dataclass(frozen=True, eq=False)
class RuleProof:
    """What a rule's file types: the paper's formula, the direction, and where they hold."""

    name: str  # of the rule in the catalogue
    claim: str
    paper: Paper
    direction: Callable[[Setting], tuple[Any, ...]]  # one for each root, typed
    families: tuple[Family, ...]
    mutants: tuple[tuple[str, Rule], ...]
    assumes: tuple[str, ...] = ()
    note: str = ""
    zeroth: Callable[[Setting], Any] | None = None  # 0 unless typed

    def build(self) -> Proof:
        return Proof(
            name=self.name,
            claim=self.claim,
            steps=self.steps,
            conditions=lambda at: self.paper(at).conditions(),
            mutants=tuple(Mutant(change, rule) for change, rule in self.mutants),
            reference=catalogue[self.name].reference,
            subject=catalogue[self.name],
            cases=self.cases,
            assumes=self.assumes,
            note=self.note,
        )

    def cases(self) -> Iterator:
        for number, family in enumerate(self.families):
            yield from family.cases(shown=number == 0)

    def steps(self, at: Setting, rule: Rule) -> Iterable[Step]:
        strategy = rule.derived(bias=at.bias_mode, **at.parameters)
        yield from self._roots(at, strategy)
        yield from self._terms(at, strategy)
        explicit = rule.explicit(bias=at.bias_mode, **at.parameters)
        lower, share = explicit.propagate(at.map, at.input, at.relevance, at.domain)
        paper = self.paper(at)
        same = f"the explicit rule {type(explicit).__name__} is the same formula"
        yield Step("R_j", lower, at.map.collect(paper.first), same)
        yield Step("R_bias", share + 0 * at.relevance, paper.bias, "and gives the bias the same share", quiet=True)

    def _roots(self, at: Setting, strategy: Any) -> Iterator[Step]:
        """The point that the shipped search finds lies on the typed direction, and is a root."""
        for (_, search), v in zip(strategy.searches(), self.direction(at), strict=False):
            root = search.root(at.units, at.domain)
            v0 = search.direction.bias_on(at.b, at.z) if search.bias_moves else 0 * at.z
            n = at.total(at.w * v) + at.b * v0
            yield Step("v_j", root.shift * search.denominator(n, at.z, at.units.of_outputs)[..., None], v, named(search))
            if self.zeroth is None:
                points = root.points(at.units)
                t = (at.z / n)[..., None]
                where = "the root on the line: `t = z/n`, `n = w·v` (with `b v_0` where the bias moves)"
                yield Step("ã_j", points, at.a - t * v, where)
                moved = at.b * (1 - at.z * root.bias_shift)
                yield Step("z(ã)", at.total(at.w * points) + moved, 0 * at.z, "the unit vanishes there")

    def _terms(self, at: Setting, strategy: Any) -> Iterator[Step]:
        """First-order, zeroth and remainder terms of the relevance models at those points."""
        paper = self.paper(at)
        zeroth = 0 * at.z if self.zeroth is None else self.zeroth(at)
        models = (Linear, TrainingFree)
        for model in models:
            terms = model(strategy).terms(at.units, at.domain, at.relevance)
            hidden = model is not models[-1]
            why = f"first-order terms of {model.__name__} at the root"
            yield Step("R_j←k", terms.first, paper.first, why, quiet=hidden)
            no_share = hidden or at.bias_mode != "neuron"
            yield Step("R_bias←k", terms.bias, paper.bias, "the bias neuron's share", quiet=no_share)
            yield Step("zeroth", terms.zeroth + 0 * at.z, zeroth, "what the root does not redistribute", quiet=hidden)
            yield Step("remainder", terms.remainder + 0 * at.z, 0 * at.z, "the model is linear up to the root", quiet=hidden)
            handed = at.total(terms.first) + terms.bias
            yield Step("Σ_j R_j←k + R_bias←k", handed, at.relevance - zeroth, "conservation", quiet=hidden)


def named(search: Any) -> str:
    """Which shipped objects a direction comes from."""
    return f"the direction {type(search.direction).__name__}, through {type(search).__name__}.root"


def with_direction(name: str, make: Callable[..., Direction]) -> Rule:
    """A catalogue rule whose derived side searches along another direction."""
    return replace(catalogue[name], roots=lambda bias="fixed", **parameters: Ray(make(**parameters), bias))


def with_formula(name: str, make: Callable[..., Any]) -> Rule:
    """A catalogue rule with another explicit side."""
    return replace(catalogue[name], formula=make)


def derived_as(name: str, other: str) -> Rule:
    """A catalogue rule with the derived side of another rule, which takes none of its parameters."""
    return replace(catalogue[name], roots=lambda bias="fixed", **_: catalogue[other].derived(bias=bias))


def without_bias(name: str) -> Rule:
    """A catalogue rule whose explicit side drops the bias whatever the convention."""
    rule = catalogue[name]
    return replace(rule, formula=lambda bias="fixed", **parameters: rule.explicit(bias="fixed", **parameters))
