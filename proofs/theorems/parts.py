"""Relevance through the parts of a layer adds up to the whole, under every rule, whatever each part's share is."""

from dataclasses import dataclass, field, replace
from typing import Any

from dtd.domain import Domain, Real
from dtd.propagation import TaylorTerms
from dtd.relevance import Linear, TrainingFree
from dtd.relevance.gate import Mask
from dtd.root.units import Units
from proofs.arbitrary import Along, Anywhere
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family


@dataclass(frozen=True)
class Subject:
    """The shipped gate and relevance models."""

    gate: type[Mask] = Mask
    models: tuple[type, ...] = field(default=(Linear, TrainingFree))


def parameters(entry, number):
    return {"v": entry("v"), "v0": number("v_0", -3), "D": number("D", -3), "m": number("m", -3)}


def conditions(at):
    return (never_zero(at.parameters["D"] + 0 * at.z, "`D ≠ 0`"),)


def steps(at, subject):
    v, v0, size, m = (at.parameters[name] for name in ("v", "v0", "D", "m"))
    search, whole = Anywhere(Along(v, v0), at.bias_mode, size), at.relevance
    gates = [subject.gate(share + 0 * whole) for share in (m, 1 - m)]
    one, other = (gate.passed(whole, None) for gate in gates)
    yield Step("m R + (1 - m) R", one + other, whole, "what goes through a part and what it stops")
    for gate, passed in zip(gates, (one, other), strict=True):
        yield Step("R - m R", whole - passed, whole * (1 - gate.weights), "what is stopped: the gate's zeroth term")
    for model in subject.models:
        found = [model(search).terms(at.units, at.domain, relevance) for relevance in (one, other, whole)]
        names = {"first": "R_j←k", "bias": "R_bias←k", "zeroth": "zeroth", "remainder": "remainder"}
        for part, shown in names.items():
            first, second, together = (getattr(terms, part) for terms in found)
            reason = f"{model.__name__}: each term is R_k times what does not depend on it"
            yield Step(f"{shown}(m R) + {shown}((1 - m) R)", first + second, together, reason)


@dataclass(frozen=True, eq=False)
class Bent(Mask):
    """Half of a share that is half, but all of one that is whole."""

    def passed(self, relevance: Any, value: Any) -> Any:
        return relevance * self.weights * (1 + self.weights) / 2


@dataclass(frozen=True)
class Squared(Linear):
    """Terms that grow with the square of the relevance: parts count less than they should."""

    def terms(self, units: Units, domain: Domain, relevance: Any) -> TaylorTerms:
        found = Linear(self.root).terms(units, domain, relevance)
        return replace(found, first=found.first * relevance[..., None])


@dataclass(frozen=True)
class Offset(TrainingFree):
    """A zeroth term that does not vanish with the relevance."""

    def terms(self, units: Units, domain: Domain, relevance: Any) -> TaylorTerms:
        found = TrainingFree(self.root).terms(units, domain, relevance)
        return replace(found, zeroth=found.zeroth + 1)


proof = Proof(
    name="parts",
    claim="If the shares of a layer's parts add up to 1, relevance through each adds up to the whole, at every root on a "
    "ray and every other point `a - z v/D`, with its bias, zeroth and remainder terms.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the gate is not linear in its share", replace(Subject(), gate=Bent)),
        Mutant("terms with the square of R", replace(Subject(), models=(Squared, TrainingFree))),
        Mutant("a zeroth term of its own", replace(Subject(), models=(Linear, Offset))),
    ),
    reference="Achtibat 2023, Sec. 2 (concept relevance propagation); Chormai 2022, Eq. 3",
    subject=Subject(),
    cases=Family(Real(), parameters, patterned=False).cases,
    note="A layer hands relevance down term by term, so what holds for one layer holds for all layers below, by induction "
    "as in `conservation`. More than two: split the second again. A mix of roots (αβ) is a weighted sum of such terms.",
)
