"""A Mahalanobis distance as a linear map and a squared distance: what arrives does not depend on how the map is chosen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
import torch

from dtd import Plan
from dtd.direction import Activations, Weights
from dtd.domain import Real
from dtd.lrp import LRPFlat, LRPZero
from dtd.primitive import SquaredDistance
from dtd.relevance import Linear, SphereRoot
from dtd.root import Ray
from proofs.entries import of
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.passed import layer
from proofs.primitives.sums import Tensors, tensors
from proofs.symbols import array
from proofs.tensors import Function, explained
from proofs.units import FiniteMap, SymbolicUnits

D = several("d", 2)  # a − u
L = several("l", 4, nonzero=True, real=True)
R = sympy.Symbol("R", real=True)
ROWS = ((L[0], L[1]), (L[2], L[3]))
WHITE = [sum(w * d for w, d in zip(row, D, strict=True)) for row in ROWS]  # L (a − u)
METRIC = [[sum(row[i] * row[j] for row in ROWS) for j in range(2)] for i in range(2)]  # M, the products of the columns of L
SLOPE = [sum(m * d for m, d in zip(row, D, strict=True)) for row in METRIC]  # M (a − u)
DISTANCE = sum(d * s for d, s in zip(D, SLOPE, strict=True))


@dataclass(frozen=True)
class Subject:
    """The rules of the two layers."""

    linear: Callable = lambda: Linear(Ray(Activations()))
    explicit: Callable = LRPZero
    order: int = 2


def conditions(values) -> tuple:
    if isinstance(values, Tensors):
        return values.conditions()
    apart = tuple(never_zero(put(values, z), "no whitened difference is 0") for z in WHITE)
    return (*apart, Condition(put(values, WHITE[0] ** 2 + WHITE[1] ** 2), ">", "the point is not the centre"))


def steps(values, subject: Subject) -> Iterator[Step]:
    if isinstance(values, Tensors):
        yield from values.steps(subject)
        return

    def at(e):
        return put(values, e)

    z = at(array([WHITE]))
    model = SphereRoot(order=subject.order)
    found = model.backward(layer(SquaredDistance(of([[0, 0]]))), of(z), of([[at(R)]]))
    white = array([list(found.relevance[0][0])])
    linear = FiniteMap(weight=at(array(ROWS)), bias=array([sympy.S.Zero] * 2), in_shape=(2,), out_shape=(2,))
    units = SymbolicUnits(linear, at(array([D])))
    handed = linear.collect(subject.linear().terms(units, Real(), white).first)[0]
    lower, _ = subject.explicit().propagate(linear, at(array([D])), white, Real())
    for i in range(2):
        claimed = at(D[i] * SLOPE[i] / DISTANCE * R)
        yield Step(f"R_{i + 1}", handed[i], claimed, "`(a - u)_i [M (a - u)]_i / ‖L (a - u)‖² R`: `M` alone matters")
        half = sympy.diff(DISTANCE, D[i]) * D[i] / (2 * DISTANCE) * R
        yield Step(
            f"R_{i + 1}", at(half), claimed, "half of gradient times way to the centre, which is quadratic", quiet=True
        )
    yield Step("R_i", lower[0], handed, "the explicit rule of the linear layer")
    yield Step("Σ_i R_i", sum(handed), at(R), "conservation")


def cases() -> Iterator[Case]:
    yield from at_points((*D, *L, R), "two inputs", points=10)
    matrix = torch.tensor([[1.0, 1.0], [0.0, 2.0]], dtype=torch.double)  # L = mT: z = (d_1, d_1 + 2 d_2) = (2, 4)
    whitened = Function(lambda x: ((x - x.new_tensor([1.0, 2.0])) @ matrix.to(x)).square().sum(-1, keepdim=True))
    # d = (2, 1): M d = (z_1 + z_2, 2 z_2) = (6, 8): 12 and 8 of 20
    yield tensors(lambda: explained(whitened, [[3, 3]], [[20]], Plan.uniform("lrp0")), [[12, 8]], "traced and explained")


proof = Proof(
    name="mahalanobis",
    claim="A Mahalanobis distance is a linear map `L` of `a - u` and a squared distance: LRP-0 and the sphere's root "
    "hand `(a - u)_i [M (a - u)]_i/‖L (a - u)‖² R` to `a_i`. `L` counts by the products of its columns alone: `M`.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the linear map under w²: `L` itself matters", Subject(linear=lambda: Linear(Ray(Weights())))),
        Mutant("the distance at first order from its centre", Subject(order=1)),
        Mutant("the explicit rule, flat", Subject(explicit=LRPFlat)),
    ),
    reference="Montavon 2022, on distances",
    subject=Subject(),
    cases=cases,
    note="Two inputs.",
)
