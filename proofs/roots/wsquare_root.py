"""The root of w² always exists where some weight is not 0, and is the nearest root in ℝᵈ."""

from dataclasses import dataclass

from dtd.algebra import one, sign
from dtd.direction import Activations, Direction, Factor, Weights
from dtd.domain import Domain, Real
from dtd.root import Ray
from proofs.arbitrary import Along
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family


def parameters(entry, number):
    return {"u": entry("u")}


def conditions(at):
    return (
        never_zero(at.total(at.w**2 + 0 * at.a), "some weight is not 0"),
        never_zero(at.total(at.w * at.parameters["u"]), "`u` is not parallel to the root hyperplane"),
    )


def steps(at, direction):
    square = at.total(at.w**2 + 0 * at.a)
    points = Ray(direction).root(at.units, at.domain).points(at.units)
    multiplier = (2 * at.z / square)[..., None]
    yield Step("z(ã)", at.total(at.w * points) + at.b, 0 * at.z, "the shipped root along `w` is a root")
    why = "Lagrange: the gradient of the squared distance is a multiple of `w`, with multiplier `λ = 2 z/Σ_i w_i²`"
    yield Step("2 (ã_j - a_j) + λ w_j", 2 * (points - at.a) + multiplier * at.w, 0 * at.a, why)
    yield Step("Σ_j (a_j - ã_j)²", at.total((at.a - points) ** 2), at.z**2 / square, "its squared distance")
    other = Ray(Along(at.parameters["u"])).root(at.units, at.domain).points(at.units)
    apart = at.total((at.a - points) ** 2) + at.total((points - other) ** 2)
    sum_of_both = "Σ_j (a_j - ã_j)² + Σ_j (ã_j - y_j)²"
    why = "Pythagoras: any root `y` (along any direction `u`) is farther, by the square of its distance from `ã`"
    yield Step("Σ_j (a_j - y_j)²", at.total((at.a - other) ** 2), apart, why, reads=sum_of_both)


@dataclass(frozen=True)
class Signs(Direction):
    """sign w for w: the nearest root in the maximum norm."""

    def factors(self, domain: Domain) -> tuple[Factor, ...]:
        return (Factor(one, sign),)


proof = Proof(
    name="wsquare_root",
    claim="Where some weight is not 0, the root of `w²` exists in `ℝ^d` and is the nearest one.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("direction sign `w`", Signs()),
        Mutant("direction `a` of LRP-0", Activations()),
    ),
    reference="Montavon 2017, Sec. 4.1",
    subject=Weights(),
    cases=lambda: Family(Real(), parameters, patterned=False).cases(biases=("fixed",)),
)
