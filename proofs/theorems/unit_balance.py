"""The balance of one unit holds at every point, root or not: R = first order + bias + zeroth + remainder."""

from dataclasses import dataclass
from typing import Any

from dtd.algebra import divide, step
from dtd.domain import Domain, Real
from dtd.propagation import TaylorTerms
from dtd.relevance import Linear, TrainingFree
from dtd.root.units import Units
from proofs.arbitrary import Along, Anywhere
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family

TOTAL = "Σ_j R_j←k + R_bias←k + zeroth + remainder"


def parameters(entry, number):
    return {"v": entry("v"), "v0": number("v_0", -3), "D": number("D", -3)}


def conditions(at):
    return (never_zero(at.parameters["D"] + 0 * at.z, "`D ≠ 0`"),)


def steps(at, models):
    v, v0, size = (at.parameters[name] for name in ("v", "v0", "D"))
    search = Anywhere(Along(v, v0), at.bias_mode, size)
    bias = 0 * at.b if at.bias_mode == "fixed" else at.b * v0
    r = 1 - (at.total(at.w * v) + bias) / size
    for model, value, slope in zip(models, (r, r * step(r)), (1, 1 - step(-r)), strict=True):
        terms = model(search).terms(at.units, at.domain, at.relevance)
        handed, name = at.total(terms.first) + terms.bias, model.__name__
        yield Step("Σ_j R_j←k + R_bias←k", handed, at.relevance * slope * (1 - r), f"{name}: slope times the way gone")
        yield Step("zeroth", terms.zeroth, at.relevance * value, f"{name}: what the model is worth at the point")
        yield Step(TOTAL, handed + terms.zeroth + terms.remainder, at.relevance, f"{name}: nothing is lost")
    linear = models[0](search).terms(at.units, at.domain, at.relevance)
    yield Step("remainder", linear.remainder, 0 * at.z, "the linear model is exact at first order, everywhere")


@dataclass(frozen=True)
class LosesBias(TrainingFree):
    """The bias neuron's term is not reported."""

    def terms(self, units: Units, domain: Domain, relevance: Any) -> TaylorTerms:
        found = TrainingFree(self.root).terms(units, domain, relevance)
        return TaylorTerms(found.first, 0 * found.bias, found.zeroth, found.remainder)


@dataclass(frozen=True)
class HidesZeroth(Linear):
    """What is left at the point is not reported."""

    def value(self, r: Any) -> Any:
        return 0 * r


@dataclass(frozen=True)
class Rescales(Linear):
    """The terms are rescaled to sum to R: conservation forced."""

    def terms(self, units: Units, domain: Domain, relevance: Any) -> TaylorTerms:
        found = Linear(self.root).terms(units, domain, relevance)
        handed = units.total(found.first) + found.bias
        scale = divide(relevance, handed)
        return TaylorTerms(found.first * scale[..., None], found.bias * scale, found.zeroth, found.remainder)


proof = Proof(
    name="unit_balance",
    claim="At every point `a - z v/D`, root or not, `R = Σ_j R_j←k + R_bias←k + zeroth + remainder`, for the linear and "
    "for the training-free model.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the bias neuron's term is dropped", (Linear, LosesBias)),
        Mutant("the zeroth term is dropped", (HidesZeroth, TrainingFree)),
        Mutant("terms rescaled to force conservation", (Rescales, TrainingFree)),
    ),
    reference="Montavon 2017, Sec. 3",
    subject=(Linear, TrainingFree),
    cases=Family(Real(), parameters, patterned=False).cases,
)
