"""A rule of the catalogue tends to another rule's formula, derived terms and explicit formula alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from dtd.plans.rules import Rule, catalogue
from dtd.relevance import Linear
from dtd.root import Bias
from proofs.formula import Shares
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof
from proofs.layers import BIASES, Family, Setting
from proofs.rational import over
from proofs.reduce import Reduction, exact
from proofs.symbols import Reciprocal, array

U = sympy.Symbol("u", positive=True)  # what tends to 0


def towards_zero(value: Any) -> Any:
    """The limit for ``u → 0`` of a rational function of u, whose denominator there the conditions keep from 0."""
    if isinstance(value, np.ndarray):
        return np.frompyfunc(towards_zero, 1, 1)(value)
    value = exact(value)
    if not value.has(U):
        return value
    value = value.replace(Reciprocal, lambda x: 1 / x)
    return sympy.cancel(over(Reduction().normal(value))).subs(U, 0)


def with_symbols(at: Setting) -> Setting:
    """A setting of numbers as one of expressions, which can meet the symbol u."""
    read = np.frompyfunc(exact, 1, 1)
    weight, bias, a, relevance = (array(read(x)) for x in (at.w, at.b, at.input, at.relevance))
    layer = replace(at.map, weight=weight, bias=bias)
    return replace(at, map=layer, input=a, relevance=relevance)


@dataclass(frozen=True, eq=False)
class LimitProof:
    """``rule(parameters)``, for ``u → 0``, is the formula ``paper``."""

    name: str
    claim: str
    rule: str
    parameters: Callable[[Setting], dict[str, Any]]
    paper: Callable[[Setting], Shares]
    family: Family
    mutants: tuple[tuple[str, Rule], ...]
    reference: str
    biases: tuple[Bias, ...] = BIASES
    assumes: tuple[str, ...] = ()

    def build(self) -> Proof:
        return Proof(
            name=self.name,
            claim=self.claim,
            steps=self.steps,
            conditions=lambda at: self.paper(at).conditions(),
            mutants=tuple(Mutant(change, rule) for change, rule in self.mutants),
            reference=self.reference,
            subject=catalogue[self.rule],
            cases=self.cases,
            assumes=self.assumes,
        )

    def cases(self) -> Iterator[Case]:
        for case in self.family.cases(self.biases, points=18 // len(self.biases)):
            yield replace(case, at=with_symbols(case.at), where={}) if case.point else replace(case, where={})

    def steps(self, at: Setting, rule: Rule) -> Iterator[Step]:
        chosen, paper = self.parameters(at), self.paper(at)
        terms = Linear(rule.derived(bias=at.bias_mode, **chosen)).terms(at.units, at.domain, at.relevance)
        explicit = rule.explicit(bias=at.bias_mode, **chosen)
        lower, share = explicit.propagate(at.map, at.input, at.relevance, at.domain)
        yield Step("lim R_j←k", towards_zero(terms.first), paper.first, "the derived terms")
        yield Step("lim R_bias←k", towards_zero(terms.bias), paper.bias, "the derived bias share", quiet=True)
        yield Step("lim R_j", towards_zero(lower), at.map.collect(paper.first), "the explicit rule")
        yield Step("lim R_bias", towards_zero(share + 0 * at.relevance), paper.bias, "and its bias share", quiet=True)
