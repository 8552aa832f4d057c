"""A Mahalanobis distance: the terms at any ellipsoid around its centre, as one operation and as a map and a distance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
import torch

from dtd import Plan, where
from dtd.direction import Activations, Weights
from dtd.domain import Real
from dtd.lrp import LRPFlat, LRPZero
from dtd.primitive import MahalanobisDistance, SquaredDistance
from dtd.relevance import Linear, SphereRoot
from dtd.root import Ray
from proofs.entries import of, unchecked
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.points import cases as at_points
from proofs.points import put, several
from proofs.primitives.passed import layer
from proofs.primitives.squared_distance import AtSphere, Halfway
from proofs.primitives.sums import Tensors, tensors
from proofs.symbols import array
from proofs.tensors import Function, explained
from proofs.units import FiniteMap, SymbolicUnits

D = several("d", 2)  # a − u
L = several("l", 4, nonzero=True, real=True)
R = sympy.Symbol("R", real=True)
S = sympy.Symbol("s", positive=True)  # the ellipsoid's radius as a share of the data point's
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
    ellipsoid: type = AtSphere
    root: Callable = lambda d, s: s * d  # ã − u


def conditions(values) -> tuple:
    if isinstance(values, Tensors):
        return values.conditions()
    apart = tuple(never_zero(put(values, z), "no whitened difference is 0") for z in WHITE)
    square = put(values, WHITE[0] ** 2 + WHITE[1] ** 2)
    return (*apart, Condition(square, ">", "not the centre"), never_zero(put(values, 1 - S), "not on the ellipsoid"))


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
    yield from at_ellipsoid(subject, at)


def quadratic(d) -> sympy.Expr:
    """``dᵀ M d``."""
    return sum(METRIC[i][k] * d[i] * d[k] for i in range(2) for k in range(2))


def at_ellipsoid(subject: Subject, at: Callable) -> Iterator[Step]:
    """The operation in one piece, for a radius: its Taylor terms at the root, and the shipped rule."""
    root = [subject.root(d, S) for d in D]
    yield Step("(ã - u)ᵀ M (ã - u) - r²", at(quadratic(root) - S**2 * DISTANCE), 0, "`r = s ‖L (a - u)‖`: on the ellipsoid")
    factors = of([[[at(row[j]) for row in ROWS] for j in range(2)]])  # (a - u) L, for L as rows of a matrix from the left
    for order, share in ((1, 2 * S / (1 + S)), (2, sympy.S.One)):
        op = MahalanobisDistance(of([[0, 0]]), factors)
        model = unchecked(subject.ellipsoid, order=order, way=at(S))
        found = model.backward(layer(op), of(at(array([list(D)]))), of([[at(R)]]))
        c, x = R / (DISTANCE - S**2 * DISTANCE), sympy.symbols("x:2", real=True)
        model_of = c * (quadratic(x) - S**2 * DISTANCE)
        there = dict(zip(x, root, strict=True))
        for i in range(2):
            slope = sympy.diff(model_of, x[i])
            term = slope.subs(there) * (D[i] - root[i])
            for k in range(2) if order == 2 else ():
                term += sympy.diff(slope, x[k]).subs(there) * (D[i] - root[i]) * (D[k] - root[k]) / 2
            claimed = at(share * D[i] * SLOPE[i] / DISTANCE * R)
            yield Step(f"R_{i + 1} (order {order})", at(term), claimed, "Taylor terms at the root on the ellipsoid")
            yield Step(f"R_{i + 1} (order={order})", found.relevance[0][0, i], claimed, "the shipped rule, in one piece")
        yield Step("Σ_i R_i", found.balance.first[0], at(share * R), "what it hands down", quiet=True)
        yield Step("remainder", found.balance.remainder[0], at((1 - share) * R), "what first order leaves over", quiet=True)


def cases() -> Iterator[Case]:
    yield from at_points((*D, *L, R, S), "two inputs", points=10)
    matrix = torch.tensor([[1.0, 1.0], [0.0, 2.0]], dtype=torch.double)  # L = mT: z = (d_1, d_1 + 2 d_2) = (2, 4)
    whitened = Function(lambda x: ((x - x.new_tensor([1.0, 2.0])) @ matrix.to(x)).square().sum(-1, keepdim=True))
    # d = (2, 1): M d = (z_1 + z_2, 2 z_2) = (6, 8): 12 and 8 of 20
    yield tensors(lambda: explained(whitened, [[3, 3]], [[20]], Plan.uniform("lrp0")), [[12, 8]], "traced and explained")
    factors = torch.tensor([[[1.0, 1.0], [0.0, 2.0]]], dtype=torch.double)
    one = Function(
        lambda x: ((x[..., None, :] - x.new_tensor([[1.0, 2.0]]))[..., None, :] @ factors.to(x))[..., 0, :].square().sum(-1)
    )
    yield tensors(lambda: explained(one, [[3, 3]], [[20]]), [[12, 8]], "in one piece, traced and explained")
    # y = 4, whose root is 2: the radius 6 is s = 3, three halves at first order
    plan = Plan([(where.kind("mahalanobis_distance"), SphereRoot(6.0, order=1))])
    scaled = Function(
        lambda x: ((x[..., None, :] - x.new_tensor([[1.0, 2.0]])) * x.new_tensor([[0.0, 2.0]])).square().sum(-1)
    )
    yield tensors(lambda: explained(scaled, [[3, 3]], [[8]], plan), [[0, 12]], "an ellipsoid behind the data point: s = 3")


proof = Proof(
    name="mahalanobis",
    claim="A Mahalanobis distance `(a - u)ᵀ M (a - u)`, `M = Lᵀ L`, expanded at any ellipsoid around its centre, hands "
    "`(a - u)_i [M (a - u)]_i/‖L (a - u)‖² R` to `a_i`, as LRP-0 at `L` and the sphere's root do; terms of first order are "
    "`2s/(1 + s)` of it, for the radius `s ‖L (a - u)‖`.",
    steps=steps,
    conditions=conditions,
    mutants=(
        Mutant("the linear map under w²: `L` itself matters", Subject(linear=lambda: Linear(Ray(Weights())))),
        Mutant("the distance at first order from its centre", Subject(order=1)),
        Mutant("the explicit rule, flat", Subject(explicit=LRPFlat)),
        Mutant("the ellipsoid's share counted from the data point", Subject(ellipsoid=Halfway)),
        Mutant("the root beyond the ellipsoid", Subject(root=lambda d, s: (1 + s) * d)),
    ),
    reference="Montavon 2022, on distances",
    subject=Subject(),
    cases=cases,
    note="Two inputs.",
)
