"""Every explanation is some root: any shares that sum to 1 are the rule of a root point (Sixt & Landgraf 2022)."""

from dtd.algebra import divide, nonzero
from dtd.direction import Pattern
from dtd.domain import Real
from dtd.relevance import Linear, TrainingFree
from dtd.root import Ray
from proofs.arbitrary import Along
from proofs.judge import Step
from proofs.kernel import Mutant, Proof, never_zero
from proofs.layers import Family


def parameters(entry, number):
    return {"p": entry("p")}


def shares(at):
    """``q_j``: any numbers that sum to 1 and are 0 where ``w_j = 0``."""
    wanted = at.parameters["p"] * nonzero(at.w) + 0 * at.a
    return wanted, at.total(wanted)


def conditions(at):
    return (
        never_zero(shares(at)[1], "the shares `p_j` (0 where `w_j = 0`) do not sum to 0, so that `q_j = p_j/Σ_i p_i`"),
        never_zero(at.z, "`z ≠ 0`"),
        never_zero(at.total(at.w * at.parameters["p"]), "`p` is not parallel to the root hyperplane"),
    )


def steps(at, direction):
    wanted, total = shares(at)
    q = wanted / total[..., None]
    yield Step("Σ_j q_j", at.total(q), 1 + 0 * at.z, "the shares sum to 1")
    ray = Ray(direction(q, at.w))
    points = ray.root(at.units, at.domain).points(at.units)
    yield Step("ã_j", points, at.a - at.z[..., None] * divide(q, at.w + 0 * q), "the root along `v = q/w`")
    yield Step("z(ã)", at.total(at.w * points) + at.b, 0 * at.z, "it is a root")
    for model in (Linear, TrainingFree):
        first = model(ray).terms(at.units, at.domain, at.relevance).first
        yield Step("R_j←k", first, at.relevance[..., None] * q, f"the first-order terms of {model.__name__} are the shares")
    other = Ray(Along(at.parameters["p"])).root(at.units, at.domain).points(at.units)
    back = at.w * (at.a - other) / at.z[..., None]
    yield Step("Σ_j w_j (a_j - y_j)/z", at.total(back), 1 + 0 * at.z, "conversely: any root `y` has shares that sum to 1")


def over_weight(q, w):
    return Pattern(divide(q, w + 0 * q)[0])


proof = Proof(
    name="every_root",
    claim="Any redistribution `q_j` with sum 1 and `q_j = 0` where `w_j = 0` is the rule of the root `a - z q/w`, and every "
    "root is such a redistribution: conservation alone does not single out an explanation.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("direction `q`", lambda q, w: Pattern(q[0])),
        Mutant("direction `q w`", lambda q, w: Pattern((q * w)[0])),
        Mutant("direction `q/|w|`", lambda q, w: Pattern(divide(q, abs(w) + 0 * q)[0])),
    ),
    reference="Sixt & Landgraf 2022, on input-dependent roots",
    subject=over_weight,
    cases=lambda: Family(Real(), parameters, patterned=False).cases(biases=("fixed",)),
)
