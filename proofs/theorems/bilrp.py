"""BiLRP: products of relevance passes are the mixed second-order terms of a similarity, and its balance is a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np
import sympy

from dtd.algebra import positive
from dtd.domain import NonNegative, Real
from dtd.explaining.pair_balance import paired
from dtd.plans.rules import catalogue
from dtd.relevance import Linear, TrainingFree
from dtd.root import Ray
from proofs.arbitrary import Along
from proofs.entries import Entries, of
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.layers import BIASES
from proofs.points import draw, put, several
from proofs.symbols import array
from proofs.theorems.conservation import RULES, dense
from proofs.units import FiniteMap, SymbolicUnits

X, Y, U, W = several("x", 2), several("y", 2), several("u", 4), several("w", 4)
A, E, G, H, V, S = (several(name, 2) for name in ("a", "e", "g", "h", "v", "s"))
B, D, C = sympy.symbols("b d c", real=True)


@dataclass(frozen=True)
class Subject:
    """How units are put together, which kept parts are counted, and the rule of the Hessian form."""

    paired: Callable = paired
    counted: int = 4
    rule: Any = catalogue["lrp0"].derived("neuron")  # noqa: RUF009 - frozen


def factors(layers: tuple, models: tuple, x: Any, unit: int) -> tuple[Any, np.ndarray]:
    """Relevance of the inputs for one unit of the embedding, and its parts: first order, bias, zeroth, remainder."""
    lower, upper = layers
    a = positive(lower.apply(x))
    z = upper.apply(a)
    chosen = np.array([[int(k == unit) for k in range(z.shape[1])]], dtype=object) * z
    top = models[1].terms(SymbolicUnits(upper, a), NonNegative(), chosen)
    bottom = models[0].terms(SymbolicUnits(lower, x), Real(), upper.collect(top.first))
    kept = [sum((getattr(t, p) + 0 * t.first.sum(-1)).sum() for t in (top, bottom)) for p in ("bias", "zeroth", "remainder")]
    relevance = lower.collect(bottom.first)
    return relevance[0], np.array([relevance.sum(), *kept], dtype=object)


def sides(layers: tuple, models: tuple, x: Any) -> tuple[Entries, Entries]:
    """Relevance (1, M, I) and parts (1, M, 4) of all units."""
    found = [factors(layers, models, x, unit) for unit in range(layers[1].out_shape[0])]
    return of([[r for r, _ in found]]), of([[parts for _, parts in found]])


def shares(layer: FiniteMap, model: Any, a: Any, domain: Any) -> np.ndarray:
    """What one unit of relevance hands to each input. # shape: (K, J)"""
    ones = np.array([[Fraction(1)] * layer.out_shape[0]], dtype=object)
    return np.asarray(model.terms(SymbolicUnits(layer, a), domain, ones).first[0])


@dataclass(frozen=True)
class AnyRules:
    """``φ(x) = W₂ max(0, W₁ x + b₁) + b₂`` with rational numbers, rules and bias modes drawn for each layer."""

    seed: int

    def steps(self, subject: Subject) -> Iterator[Step]:
        random = Random(self.seed)
        layers = dense(random, 2, 3), dense(random, 3, 2)
        drawn = [random.choice(sorted(RULES)) for _ in range(2)]
        strategies = [catalogue[rule].derived(bias=random.choice(BIASES), **RULES[rule]) for rule in drawn]
        models = TrainingFree(strategies[0]), Linear(strategies[1])
        points = [dense(random, 2, 1).weight for _ in range(2)]
        hidden = [positive(layers[0].apply(x)) for x in points]
        outputs = [layers[1].apply(a)[0] for a in hidden]
        (left, mine), (right, other) = (sides(layers, models, x) for x in points)
        found = np.asarray(subject.paired(left, right))[0]
        pair = np.diag(outputs[0] * outputs[1])  # of units (m, m′): what is explained has none with m ≠ m′
        for layer, model, at, domain in (
            (layers[1], models[1], hidden, NonNegative()),
            (layers[0], models[0], points, Real()),
        ):
            handed = [shares(layer, model, a, domain) for a in at]
            pair = handed[0].T.dot(pair).dot(handed[1])
        yield Step("R_ij", found, pair, "mixed second-order terms, handed down layer by layer")
        table = np.asarray(subject.paired(mine, other))[0][: subject.counted, : subject.counted]
        yield Step("s(x, y)", (outputs[0] * outputs[1]).sum(), table.sum(), "all parts of either side, unit by unit")
        yield Step("Σ_ij R_ij", found.sum(), table[0, 0], "its first entry is what reaches pairs of features")


def z(x):
    """Pre-activations of the two hidden units."""
    return tuple(W[2 * k] * x[0] + W[2 * k + 1] * x[1] for k in range(2))


def embedding(x, units):
    """``φ_m(x) = Σ_k u_mk max(0, z_k(x))``."""
    weights = (U[2 * m : 2 * m + 2] for m in range(units))
    return tuple(sum(u * positive(value) for u, value in zip(each, z(x), strict=True)) for each in weights)


@dataclass(frozen=True)
class Hessian:
    """A ReLU network without biases, in one linear region for either input. Units m add up, so that symbols take one."""

    values: Any
    region: tuple[int, ...]
    units: int = 2

    def conditions(self) -> Iterator[Condition]:
        for sign, value in zip(self.region, (*z(X), *z(Y)), strict=True):
            yield Condition(put(self.values, sign * value), ">", "neither input is on the border of a linear region")
        for value in (*embedding(X, self.units), *embedding(Y, self.units)):
            yield never_zero(put(self.values, value), "no unit of either embedding is 0")

    def steps(self, subject: Subject) -> Iterator[Step]:
        weights = [put(self.values, array([w[:2], w[2:]][:rows])) for w, rows in ((W, 2), (U, self.units))]
        layers = tuple(FiniteMap(weight=w, bias=w[:, 0] * 0, in_shape=(2,), out_shape=(len(w),)) for w in weights)
        models = TrainingFree(subject.rule), Linear(subject.rule)
        (left, _), (right, _) = (sides(layers, models, put(self.values, array([x]))) for x in (X, Y))
        similarity = sum(p * q for p, q in zip(*(embedding(x, self.units) for x in (X, Y)), strict=True))
        hessian = array([[x * y * sympy.diff(similarity, x, y) for y in Y] for x in X])
        found, reads = np.asarray(subject.paired(left, right))[0], "x_i y_j ∂²s/∂x_i∂y_j"
        yield Step("R_ij", found, put(self.values, hessian), "LRP-0 without biases: the Hessian form", reads=reads)


@dataclass(frozen=True)
class Mixed:
    """One pair of units, ``R̂(a, e) = c z(a) z′(e)``, expanded at a root of each along any direction."""

    values: Any

    def conditions(self) -> Iterator[Condition]:
        for w, v in ((G, V), (H, S)):
            yield never_zero(put(self.values, w[0] * v[0] + w[1] * v[1]), "`w·v ≠ 0` on either side")
        for value in (self.one(A), self.other(E)):
            yield never_zero(put(self.values, value), "`z ≠ 0` on either side")

    def one(self, a):
        """The left unit."""
        return G[0] * a[0] + G[1] * a[1] + B

    def other(self, e):
        """The right unit."""
        return H[0] * e[0] + H[1] * e[1] + D

    def steps(self, subject: Subject) -> Iterator[Step]:
        model = C * self.one(A) * self.other(E)
        moved, first = [], []
        for w, b, a, v in ((G, B, A, V), (H, D, E, S)):
            units = SymbolicUnits(FiniteMap(weight=array([w]), bias=array([b]), in_shape=(2,), out_shape=(1,)), array([a]))
            ray = Ray(Along(array([v]), 0))
            root = ray.root(units, Real()).points(units)[0, 0]
            moved.append([x - r for x, r in zip(a, root, strict=True)])
            first.append(Linear(ray).terms(units, Real(), units.z).first)
        mixed = array(
            [
                [sympy.diff(model, x, y) * p * q for y, q in zip(E, moved[1], strict=True)]
                for x, p in zip(A, moved[0], strict=True)
            ]
        )
        product_of = np.asarray(subject.paired(of(first[0]), of(first[1])))[0]
        why = "the mixed second-order term is the product of the first-order terms; there is none of higher order"
        yield Step("(a_i - ã_i)(e_j - r_j) ∂²R̂/∂a_i∂e_j", put(self.values, mixed), put(self.values, C * product_of), why)
        yield Step(
            "Σ_ij",
            put(self.values, mixed.sum()),
            put(self.values, model),
            "at a pair of roots `ã` and r they sum to the whole",
        )


def named(region: tuple) -> str:
    """Which hidden units are active."""
    both = (" and ".join(str(k) for k, sign in enumerate(signs, 1) if sign > 0) for signs in region)
    return "active hidden units: {} for x, {} for y".format(*both)


def cases() -> Iterator[Case]:
    for seed in range(12):
        yield Case(f"network {seed}", AnyRules(seed), point=True)
    for seed in range(8):
        values = draw((*X, *Y, *U, *W), seed)
        signs = tuple(1 if value > 0 else -1 for value in put(values, array((*z(X), *z(Y)))))
        yield Case(f"point {values}", Hessian(values, signs), point=True)
        yield Case(f"unit {seed}", Mixed(draw((*A, *E, *G, *H, *V, *S, B, D, C), seed)), point=True)
    yield Case("one pair of units", Mixed({}), shown=True, extent="two hidden units")
    for region in product(((1, 1), (1, -1)), repeat=2):
        shown = region == ((1, 1), (1, -1))
        yield Case(named(region), Hessian({}, sum(region, ()), units=1), shown=shown, extent="two hidden units")


plain = Subject()
proof = Proof(
    name="bilrp",
    claim="With the relevance `R_mi(x)` of input i to unit m of an embedding f, `R_ij = Σ_m R_mi(x) R_mj(y)` are the mixed "
    "second-order terms of the similarity `s(x, y) = Σ_m f_m(x) f_m(y)`, handed down layer by layer under any rules; for "
    "LRP-0 without biases that is `x_i y_j ∂²s/∂x_i∂y_j`. Their sum is the similarity minus all products of parts "
    "of which one is kept: bias, zeroth, remainder of either side.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions() if hasattr(at, "conditions") else (),
    mutants=(
        Mutant("units of the two sides are crossed", replace(plain, paired=lambda one, other: paired(one, other[:, ::-1]))),
        Mutant("the left side twice", replace(plain, paired=lambda one, other: paired(one, one))),
        Mutant("the remainders and zeroth terms are not counted", replace(plain, counted=2)),
        Mutant("`z⁺` in place of LRP-0", replace(plain, rule=catalogue["zplus_signed"].derived())),
    ),
    reference="Eberle 2022, Sec. 3 and Appendix A",
    subject=plain,
    cases=cases,
    note="Points: two layers with biases, rules and bias modes drawn. Symbols: one unit of the embedding, both hidden units "
    "or the first active for either input; one pair of units with roots along any directions.",
)
