"""Non-negative shares shrink the difference of two explanations: layer after layer they become one and the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

import numpy as np

from dtd.algebra import negative, positive
from dtd.plans.rules import catalogue
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.layers import ANY, INPUTS, Setting, indexed, real
from proofs.symbols import array
from proofs.units import FiniteMap, GenericMap


@dataclass(frozen=True)
class Subject:
    """The rule that hands relevance down, and by how much its shares contract, from what two units do not have in common."""

    rule: str = "zplus"
    numbers: tuple[tuple[str, Any], ...] = ()
    coefficient: Callable[[Any], Any] = lambda apart: apart

    def shares(self, at: Setting, relevance: Any) -> Any:
        """What the explicit rule hands down. # shape: (1, K) -> (1, J)"""
        explicit = catalogue[self.rule].explicit(**dict(self.numbers))
        return explicit.propagate(at.map, at.input, relevance, at.domain)[0]


def size(values: Any) -> Any:
    """``Σ |x|``."""
    return sum(abs(x) for x in np.asarray(values).flat)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two units that read the same inputs, any number of them. ``n_k = Σ_j a_j w_jk⁺``."""

    units: tuple[Setting, Setting]

    def conditions(self) -> Iterator[Condition]:
        for at in self.units:
            yield never_zero(at.total(at.a * positive(at.w)), "something speaks for either unit")

    def steps(self, subject: Subject) -> Iterator[Step]:
        one, other = self.units
        p, q = (subject.shares(at, array([[1]])) for at in self.units)
        for name, at, shares in (("p", one, p), ("q", other, q)):
            yield Step(f"Σ_j {name}_j", at.total(shares[:, None]), 1 + 0 * at.z, "shares sum to 1")
            yield Step(f"{name}_j⁻", negative(shares), 0 * shares, "and none is negative")
        below = subject.shares(one, array([[1]])) + subject.shares(other, array([[-1]]))
        why = "two explanations that differ by `e = (1, -1)` are handed down"
        yield Step("(P e)_j", below, p - q, why)
        yield Step("Σ_j (P e)_j", one.total(below[:, None]), 0 * one.z, "as much above 0 as below")
        apart = one.total(positive(p - q)[:, None])
        why = "so half of `Σ_j |(P e)_j|` is `δ = Σ_j (p_j - q_j)⁺`"
        yield Step("Σ_j (P e)_j⁺", one.total(positive(below)[:, None]), subject.coefficient(apart), why)


@dataclass(frozen=True, eq=False)
class Network:
    """Layers of exact numbers, and two explanations of equal sum that are handed down through all of them."""

    layers: tuple[Setting, ...]
    explained: tuple[Any, Any]

    def conditions(self) -> Iterator[Condition]:
        for at in self.layers:
            yield never_zero(at.total(at.a * positive(at.w)), "something speaks for every unit")

    def steps(self, subject: Subject) -> Iterator[Step]:
        one, other = self.explained
        bound, total = size(one - other), one.sum()
        for at in self.layers:
            units = at.z.shape[1]
            shares = [subject.shares(at, np.eye(units, dtype=int).astype(object)[k : k + 1])[0] for k in range(units)]
            apart = (sum(positive(x) for x in p - q) for p, q in combinations(shares, 2))
            bound = bound * max(map(subject.coefficient, apart))
            yield Step("p_jk", min(x for p in shares for x in p), 0, "shares are not negative", relation=">=")
            one, other = (subject.shares(at, relevance) for relevance in (one, other))
            yield Step("Σ_j R_j", one.sum(), total, "conserved")
            yield Step("Σ_j R_j", other.sum(), total, "conserved")
            yield Step("Σ_j |R_j - R'_j|", size(one - other), bound, "at most the product of δ so far", relation="<=")


def pair() -> Pair:
    """Units with weights ``w_j`` and ``u_j``."""
    a = array([[indexed("a", nonnegative=True)]])
    maps = (GenericMap(weight=array([[indexed(name)]]), bias=array([real("b")])) for name in "wu")
    one, other = (Setting(each, a, array([[real("R")]]), INPUTS) for each in maps)
    return Pair((one, other))


def network(seed: int) -> Network:
    """Two units, then two layers of four, each with its own activations; what is explained is one unit or the other."""
    random = Random(seed)

    def numbers(low: int, *shape: int) -> np.ndarray:
        drawn = [Fraction(random.randint(low, 6), random.choice((1, 2, 3))) for _ in range(shape[0] * shape[1])]
        return np.array(drawn, dtype=object).reshape(shape)

    layers = []
    for units in (2, 4, 4):
        weight, a = numbers(-6, units, 4), numbers(1, 1, 4)
        layer = FiniteMap(weight=weight, bias=weight[:, 0] * 0, in_shape=(4,), out_shape=(units,))
        layers.append(Setting(layer, a, a, INPUTS))
    one = np.array([[Fraction(1), Fraction(0)]], dtype=object)
    return Network(tuple(layers), (one, one[:, ::-1]))


def cases() -> Iterator[Case]:
    for seed in range(48):
        yield Case(f"network {seed}", network(seed), point=True)
    at = pair()
    sums = (unit.total(unit.a * positive(unit.w)).item() for unit in at.units)
    where = {found: real(f"n_{k}", positive=True) for k, found in enumerate(sums, 1)}
    yield Case("two units, any number of inputs", at, shown=True, where=where, extent=f"two units, {ANY}")


plain = Subject()
proof = Proof(
    name="rank_one",
    claim="Two explanations of equal sum, handed down by non-negative shares that sum to 1 (`z⁺` on `a ≥ 0`, bias fixed), "
    "come closer: `Σ_j |R_j - R'_j| ≤ δ Σ_k |R_k - R'_k|` with `δ = max_kl Σ_j (p_jk - p_jl)⁺`, the part of two units' "
    "shares that they do not have in common. Over layers the bounds multiply: the product of shares tends to rank one.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("LRP-0 in place of `z⁺`", replace(plain, rule="lrp0")),
        Mutant("LRP-γ in place of `z⁺`", replace(plain, rule="gamma", numbers=(("gamma", Fraction(1, 4)),))),
        Mutant("half of δ", replace(plain, coefficient=lambda apart: apart / 2)),
        Mutant("the square of δ", replace(plain, coefficient=lambda apart: apart**2)),
    ),
    reference="Sixt 2020, Sec. 4 (matrices of rank one); δ is Dobrushin's coefficient",
    subject=plain,
    cases=cases,
    note="Symbols: two units of any number of inputs. A difference of more units is a sum of such pairs (what one gains "
    "another loses), so the bound is that of the worst pair. Points: three layers.",
)
