"""Roots, fused pass, prepared pass and explicit rule hand down the same relevance: every rule, bias mode and setting."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import torch

from dtd.algebra import negative, positive
from dtd.domain import Box, Domain, Real
from dtd.fast.affine import AffineStep
from dtd.fast.step import Setting as Prepared
from dtd.fast.step import Step as Prepares
from dtd.fast.step import prepare
from dtd.plans.rules import catalogue
from dtd.propagation import Layer, Propagated
from dtd.relevance import Linear, RelevanceModel, TrainingFree
from proofs.exactly import entries_of, made
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof
from proofs.layers import INPUTS, Family, Setting
from proofs.readings.layers import CAPPED, RELU, above, layer_of
from proofs.rules import alphabeta, epsilon, flat, gamma, gamma_signed, lrp0, wsquare, zbox, zplus, zplus_signed

FUNCTIONS = {"no function": None, "ReLU": RELU, "capped": CAPPED}  # what is merged into the layer
SIDES = ("z > 0", "z < 0")


@dataclass(frozen=True, eq=False)
class Ruled:
    """One rule at one setting of an affine layer; ``numbers`` are its parameters."""

    rule: str
    at: Setting
    numbers: dict[str, Any]
    point: bool


@dataclass(frozen=True)
class Kind:
    """A rule, where it is shown, and its parameters: numbers, since passes are prepared for numbers."""

    rule: str
    paper: Callable[[Setting], Any]
    domain: Domain = Real()  # noqa: RUF009 - frozen
    numbers: tuple[tuple[str, float], ...] = ()  # on symbols
    others: tuple[float, ...] = ()  # what the parameter is at points beside
    sides: tuple[str, ...] = ("",)
    patterned: bool = False

    def cases(self) -> Iterator[Case]:
        for side in self.sides:
            for n, numbers in enumerate(self.all_numbers()):
                family = Family(self.domain, self.exact(numbers), side=side, patterned=self.patterned)
                for case in family.cases(points=POINTS if n == 0 else 1, shown=self.rule == PRINTED):
                    if n == 0 or case.point:
                        at = Ruled(self.rule, case.at, numbers, case.point)
                        yield replace(case, title=f"{self.rule}, {case.title}", at=at)

    def all_numbers(self) -> Iterator[dict[str, Any]]:
        """The parameters on symbols, then the others."""
        yield dict(self.numbers)
        for value in self.others:
            yield {self.numbers[0][0]: value}

    def exact(self, numbers: dict[str, Any]) -> Callable[[Callable, Callable], dict[str, Any]]:
        """The parameters as exact numbers; bounds of a box in the shape of the input."""

        def parameters(entry: Callable, number: Callable) -> dict[str, Any]:
            found = {name: Fraction(value) for name, value in numbers.items()}
            return {name: 0 * entry("l") + value for name, value in found.items()} if self.rule == "zbox" else found

        return parameters


POINTS = 2  # of each bias mode at the parameters of the symbols; one at the others
PRINTED = "gamma"  # the rule whose steps make up the printed derivation
BOUNDS = (("low", -8.0), ("high", 8.0))
KINDS = (  # the first refutes a mutant most quickly
    Kind("wsquare", wsquare.paper),
    Kind("lrp0", lrp0.paper, sides=SIDES),
    Kind("epsilon", epsilon.paper, numbers=(("epsilon", 0.5),), others=(0.03125, 8.0), sides=SIDES),
    Kind("gamma", gamma.paper, numbers=(("gamma", 1.0),), others=(0.0, 3.0, 127.0)),
    Kind("gamma_signed", gamma_signed.paper, numbers=(("gamma", 1.0),), others=(3.0, 127.0), sides=SIDES),
    Kind("zplus", zplus.paper, INPUTS, patterned=True),
    Kind("zplus_signed", zplus_signed.paper),
    Kind("alphabeta", alphabeta.paper, numbers=(("alpha", 2.0),), others=(1.0, 1.5, 4.0)),
    Kind("zbox", zbox.paper, Box(-8.0, 8.0), numbers=BOUNDS),
    Kind("flat", flat.paper),
)


@dataclass(frozen=True)
class Subject:
    """The two passes, and how a model of the catalogue is found."""

    derived: Callable = lambda rule, bias, **numbers: catalogue[rule].derived(bias=bias, **numbers)
    fused: Callable[..., Propagated] = lambda model, layer, a, relevance: fused(model, layer, a, relevance)
    prepared: Callable[..., Prepares] = prepare


def fused(model: RelevanceModel, layer: Layer, a: Any, relevance: Any) -> Propagated:
    """Forward sweep and relevance pass by the definition."""
    return model.backward(layer, model.forward(layer, (a,))[1], relevance)


@torch.no_grad()
def steps(case: Ruled, subject: Subject) -> Iterator[Step]:
    at = case.at
    layer, a, relevance = layer_of(at), made(at.input), made(at.relevance)
    strategy = subject.derived(case.rule, at.bias_mode, **case.numbers)
    exact = subject.derived(case.rule, at.bias_mode, **at.parameters)
    terms = Linear(exact).terms(at.units, at.domain, at.relevance)
    by_roots = at.map.collect(terms.first)
    explicit = catalogue[case.rule].explicit(bias=at.bias_mode, **at.parameters)
    lower, _ = explicit.propagate(at.map, at.input, at.relevance, at.domain)
    yield Step("R_j", by_roots, lower, "the roots' terms are the explicit rule")
    on_tensors, _ = (
        catalogue[case.rule].explicit(bias=at.bias_mode, **case.numbers).propagate(layer.op, a, relevance, at.domain)
    )
    yield Step("R_j (explicit)", entries_of(on_tensors), lower, "the explicit rule on tensors")
    for model in (Linear, TrainingFree):
        found = subject.fused(model(strategy), layer, a, relevance)
        name = f"fused pass of {model.__name__}"
        yield Step("R_j (fused)", entries_of(found.relevance[0]), by_roots, name)
        yield from balances(at, found, terms, name)
    for title, function in FUNCTIONS.items():
        for as_coefficients in (False, True):
            yield from prepared_steps(case, subject, (strategy, layer), (title, function, as_coefficients))


def balances(at: Setting, found: Propagated, terms: Any, name: str) -> Iterator[Step]:
    """Bias share, zeroth term and remainder of the fused pass."""
    for part in ("bias", "zeroth", "remainder"):
        claimed = (getattr(terms, part) + 0 * at.z).sum(-1)
        yield Step(f"{part} (fused)", entries_of(getattr(found.balance, part)), claimed, name)


def prepared_steps(case: Ruled, subject: Subject, model: tuple, setting: tuple) -> Iterator[Step]:
    """The prepared pass below one function, with relevance or with its coefficients arriving."""
    (strategy, layer), (title, function, as_coefficients), at = model, setting, case.at
    y = at.z
    if function is not None:
        y = positive(y) if function is RELU else 1 + negative(positive(y) - 1)
    arriving = Setting(at.map, at.input, at.relevance * y if as_coefficients else at.relevance, at.domain, at.bias_mode)
    exact = subject.derived(case.rule, at.bias_mode, **at.parameters)
    by_roots = at.map.collect(Linear(exact).terms(arriving.units, at.domain, arriving.relevance).first)
    overwrite = case.point  # points overwrite, symbols do not
    known = Prepared(as_coefficients=as_coefficients, may_overwrite=overwrite, activation=above(function, at))
    step = subject.prepared(Linear(strategy), layer, known)
    if (as_coefficients and not step.takes_coefficients) or (function is not None and not step.merged):
        return
    output, kept = step.up([], made(at.input))
    (lower,) = step.down(kept, made(at.relevance))
    yield Step("y (prepared)", entries_of(output), y, f"{title} merged into the layer")
    if step.hands_coefficients:
        lower = lower * made(at.input)
    arrives = "coefficients arrive" if as_coefficients else "relevance arrives"
    yield Step("R_j (prepared)", entries_of(lower), by_roots, f"{title}, {arrives}, overwriting {overwrite}")


def conditions(case: Ruled) -> tuple:
    """On symbols no denominator is 0; points are unconditional: what is 0 hands nothing down."""
    kind = next(kind for kind in KINDS if kind.rule == case.rule)
    return () if case.point else kind.paper(case.at).conditions()


def unmultiplied(model: RelevanceModel, layer: Layer, setting: Prepared) -> Any:
    """Coefficients are handed down as if they were relevance."""
    step = prepare(model, layer, setting)
    return replace(step, functions=frozenset(), reads=True) if isinstance(step, AffineStep) else step


def ungated(model: RelevanceModel, layer: Layer, setting: Prepared) -> Any:
    """Relevance is taken for its coefficients."""
    return prepare(model, layer, replace(setting, as_coefficients=not setting.as_coefficients))


def without_bias_share(model: RelevanceModel, layer: Layer, a: Any, relevance: Any) -> Propagated:
    """The bias neuron's share is not reported."""
    found = fused(model, layer, a, relevance)
    return found._replace(balance=replace(found.balance, bias=0 * found.balance.bias))


def halved(model: RelevanceModel, layer: Layer, a: Any, relevance: Any) -> Propagated:
    """A pass that hands half down."""
    found = fused(model, layer, a, relevance)
    return found._replace(relevance=(found.relevance[0] / 2,))


plain = Subject()
proof = Proof(
    name="passes",
    claim="Explicit roots, fused pass, prepared pass (relevance or its coefficients arriving, a ReLU or a capped function "
    "merged or none) and explicit rule hand the same relevance down, for every rule of the catalogue but the pattern and "
    "for every bias mode; the fused pass reports the same bias share, zeroth term and remainder.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the prepared pass takes relevance for coefficients", replace(plain, prepared=ungated)),
        Mutant("the prepared pass multiplies coefficients by nothing", replace(plain, prepared=unmultiplied)),
        Mutant("the fused pass hides the bias' share", replace(plain, fused=without_bias_share)),
        Mutant("the fused pass hands half down", replace(plain, fused=halved)),
    ),
    reference="Montavon 2019, Sec. 10.2.2 (the four steps)",
    subject=plain,
    cases=lambda: (case for kind in KINDS for case in kind.cases()),
    note="Passes are prepared for numbers. Symbols: `γ = 1`, `ε = 1/2`, `α = 2`, the box `[-8, 8]`; exact points: also "
    "γ = 0, 3 and 127 (`1/(1 + γ)` is a float), ε = 1/32 and 8, α = 1, 3/2 and 4. The pattern rule is held by its own proof "
    "and the tests. Every pattern of signs: `z⁺`.",
)
