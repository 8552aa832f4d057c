"""The master theorem: whatever the direction, the terms at the root on its line are ``R w_j v_j / Σ w v``."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dtd.algebra import step
from dtd.domain import Real
from dtd.relevance import Linear, TrainingFree
from dtd.root import Ray, Search
from proofs.arbitrary import Along
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family


@dataclass(frozen=True)
class Subject:
    """The search and the relevance models of the theorem."""

    search: Callable[..., Search] = Ray
    models: tuple = (Linear, TrainingFree)


def parameters(entry, number):
    return {"v": entry("v"), "v0": number("v_0", -3)}


def denominator(at):
    """``n = w·v``, with ``b v_0`` where the bias is a neuron."""
    n = at.total(at.w * at.parameters["v"])
    return n if at.bias_mode == "fixed" else n + at.b * at.parameters["v0"]


def conditions(at):
    return (
        never_zero(
            denominator(at),
            "`n = w·v` (with `b v_0` where the bias moves) is not 0: the line meets the unit's root hyperplane",
        ),
    )


def steps(at, subject):
    v, n = at.parameters["v"][:, None, :] + 0 * at.a * at.w, denominator(at)
    search = subject.search(Along(at.parameters["v"], at.parameters["v0"]), at.bias_mode)
    root = search.root(at.units, at.domain)
    points = root.points(at.units)
    moved = 1 - at.z * root.bias_shift
    inverse = (1 / n)[..., None]
    yield Step("ã_j", points, at.a - (at.z[..., None] * inverse) * v, "Ray.root: `a - t v` with `t = z/n`")
    yield Step("z(ã)", at.total(at.w * points) + at.b * moved, 0 * at.z, "the unit vanishes there: it is a root")
    length = "the length of `v` does not matter"
    doubled = subject.search(Along(2 * at.parameters["v"], 2 * at.parameters["v0"]), at.bias_mode)
    yield Step("ã_j(2 v)", doubled.root(at.units, at.domain).points(at.units), points, length, reads="ã_j")
    bias = at.b * (0 if at.bias_mode == "fixed" else at.parameters["v0"])
    share = at.relevance / n
    for model in subject.models:
        terms = model(search).terms(at.units, at.domain, at.relevance)
        first, kept = share[..., None] * at.w * v, share * bias
        if at.bias_mode == "distribute":
            first, kept = first + at.units.spread(kept / at.units.inputs()), 0 * kept
        name, quiet = model.__name__, model is not subject.models[-1]
        yield Step("R_j←k", terms.first, first, f"first-order terms of {name}", quiet=quiet)
        yield Step("R_bias←k", terms.bias, kept, f"the bias neuron's term of {name}", quiet=quiet or at.bias_mode == "fixed")
        yield Step("Σ_j R_j←k + R_bias←k", at.total(terms.first) + terms.bias, at.relevance, "conservation", quiet=quiet)
        yield Step("zeroth", terms.zeroth, 0 * at.z, "the model vanishes at the root", quiet=quiet)
        yield Step("remainder", terms.remainder, 0 * at.z, "the model is linear between the root and `a`", quiet=quiet)


@dataclass(frozen=True)
class Behind(Ray):
    """t = −z/n."""

    def denominator(self, n: Any, z: Any, context: Callable[[Callable], Any]) -> Any:
        return -n


@dataclass(frozen=True)
class BiasStays(Ray):
    """The bias neuron does not move."""

    @property
    def bias_moves(self) -> bool:
        return False


@dataclass(frozen=True)
class FlatSide(TrainingFree):
    """The slope at the kink taken from the inactive side."""

    def slope(self, r: Any, tolerance: Any) -> Any:
        return step(r)


@dataclass(frozen=True)
class Halved(Linear):
    """Half the slope."""

    def slope(self, r: Any, tolerance: Any) -> Any:
        return (1 + 0 * r) / 2


plain = Subject()
proof = Proof(
    name="master",
    claim="For every direction `v` with `w·v ≠ 0` the root on the line is `a - z/(w·v) v`, and its first-order terms are "
    "`R w_j v_j/Σ_i w_i v_i`; they sum to `R`, and nothing is left over.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("`t` with the wrong sign", replace(plain, search=Behind)),
        Mutant("the bias neuron stays where it is", replace(plain, search=BiasStays)),
        Mutant("slope from the inactive side of the kink", replace(plain, models=(FlatSide,))),
        Mutant("half the slope", replace(plain, models=(Halved,))),
    ),
    reference="Montavon 2017, Sec. 4; Montavon 2019, Sec. 10.2.3",
    subject=plain,
    cases=Family(Real(), parameters, patterned=False).cases,
)
