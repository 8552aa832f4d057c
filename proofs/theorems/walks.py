"""One masked pass is the sum over all walks inside a set, and all walks add up to the relevance of the input."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np
import sympy

from dtd.algebra import positive
from dtd.domain import NonNegative
from dtd.plans.rules import catalogue
from dtd.relevance import Linear
from dtd.relevance.gate import Mask
from proofs.entries import of
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, unconditional
from proofs.layers import BIASES
from proofs.theorems.conservation import RULES, numbers
from proofs.units import FiniteMap, SymbolicUnits

LAYERS = sympy.Symbol("L", integer=True, nonnegative=True)


@dataclass(frozen=True)
class Subject:
    """What goes on of relevance at a layer, which layers are masked, and which walks are counted."""

    gate: Callable = lambda weights, relevance: Mask(weights).passed(relevance, None)
    masked: Callable = lambda level: True
    inside: Callable = lambda walk, nodes: all(node in nodes for node in walk)


def chosen(nodes: Any, count: int) -> Any:
    """1 for some nodes. # shape: (1, N)"""
    return of([[sympy.Integer(int(node in nodes)) for node in range(count)]])


def masked_pass(subject: Subject, shares: list[Any], top: Any, sets: list[Any]) -> Any:
    """Relevance of the input's nodes; ``sets[l]`` are those that relevance passes at the output of layer l, from below.

    # shape: shares (N, N) for each layer: what upper node u hands to lower node v; top (1, N) -> (1, N)
    """
    relevance = top
    for level in range(len(shares) - 1, -1, -1):
        if subject.masked(level):
            relevance = subject.gate(chosen(sets[level], len(shares[level])), relevance)
        relevance = of(np.asarray(relevance).dot(np.asarray(shares[level])))
    return relevance


def checked(subject: Subject, shares: list[Any], top: Any, subsets: list[tuple[int, ...]]) -> Iterator[Step]:
    """The steps for any linear pass: nodes hand shares to nodes."""
    nodes, levels = range(len(shares[0])), len(shares)
    walks = list(product(nodes, repeat=levels + 1))
    each: dict[tuple[int, ...], Any] = {}
    for upper in product(nodes, repeat=levels):
        found = masked_pass(Subject(), shares, top, [(node,) for node in upper])
        each |= {(v, *upper): found[0, v] for v in nodes}
    for nodes_of in subsets:
        passed = masked_pass(subject, shares, top, [nodes_of] * levels)
        together = sum(passed[0, v] for v in nodes_of)
        counted = sum((each[walk] for walk in walks if subject.inside(walk, nodes_of)), sympy.Integer(0))
        yield Step(
            "R_S",
            together,
            counted,
            "one pass, masked by the set S: the sum over the walks inside",
            quiet=nodes_of != subsets[0],
        )
    whole = masked_pass(Subject(), shares, top, [tuple(nodes)] * levels)
    yield Step("Σ_W R_W", sum(each.values()), np.asarray(whole).sum(), "all walks: what the input receives")


@dataclass(frozen=True)
class Shares:
    """Nodes that hand any shares to any nodes."""

    shares: list[Any]
    top: Any
    subsets: list[tuple[int, ...]]

    def steps(self, subject: Subject) -> Iterator[Step]:
        yield from checked(subject, self.shares, self.top, self.subsets)


@dataclass(frozen=True)
class Drawn:
    """Three nodes with one feature in two layers with biases, run by the shipped models, rules drawn for each layer."""

    seed: int

    def steps(self, subject: Subject) -> Iterator[Step]:
        random = Random(self.seed)
        a, shares = abs(numbers(random, 1, 3)), []
        for _ in range(2):
            layer = FiniteMap(weight=numbers(random, 3, 3), bias=numbers(random, 3), in_shape=(3,), out_shape=(3,))
            rule = random.choice(sorted(RULES))
            model = Linear(catalogue[rule].derived(bias=random.choice(BIASES), **RULES[rule]))
            ones = np.array([[Fraction(1)] * 3], dtype=object)
            shares.append(np.asarray(model.terms(SymbolicUnits(layer, a), NonNegative(), ones).first[0]))
            a = positive(layer.apply(a))
        yield from checked(subject, shares, of(numbers(random, 1, 3)), [(0, 2), (1,), (0, 1, 2)])


@dataclass(frozen=True)
class Induction:
    """Any number of layers: what holds for the pass below holds with one more layer on top, since the pass is linear."""

    def steps(self, subject: Subject) -> Iterator[Step]:
        nodes, below = (
            (0, 1),
            [sympy.Function(f"W_{node}")(LAYERS) for node in range(2)],
        )  # Σ walks below each node, inside S
        r, m = sympy.symbols("r_0:2", real=True), sympy.symbols("m_0:2", real=True)
        gated = subject.gate(of([list(m)]), of([list(r)])) if subject.masked(LAYERS) else of([list(r)])
        one = sum(gated[0, u] * below[u] for u in nodes)
        each = sum(m[u] * r[u] * below[u] for u in nodes)
        why = "the pass below is linear: relevance at u times what one unit of it becomes"
        yield Step("R_S", one, each, why, reads="Σ_u m_u R_u W_u")


def cases() -> Iterator[Case]:
    for seed in range(12):
        yield Case(f"network {seed}", Drawn(seed), point=True)
    names = [[[sympy.Symbol(f"q{level}_{u}{v}", real=True) for v in range(2)] for u in range(2)] for level in range(3)]
    top = of([[sympy.Symbol(f"r_{u}", real=True) for u in range(2)]])
    shares = Shares([np.array(q, dtype=object) for q in names], top, [(0,), (1,), (0, 1), ()])
    yield Case("two nodes, three layers, any shares", shares, extent="two nodes")
    yield Case("one layer more", Induction(), shown=True, extent="any number of layers")


plain = Subject()
proof = Proof(
    name="walks",
    claim="Let `R_W` be what arrives at the first node of a walk W when relevance passes one node at each layer. Under any "
    "rules `Σ_W R_W = Σ_i R_i`, and one pass that is masked by a set S at every layer, summed over S at the input, is the "
    "sum of `R_W` over all walks inside S, of which there are `|S|^(L+1)`.",
    steps=lambda at, subject: at.steps(subject),
    conditions=unconditional,
    mutants=(
        Mutant("the lowest layer is not masked", replace(plain, masked=lambda level: level != 0)),
        Mutant("the gate rescales what goes on", replace(plain, gate=lambda w, r: Mask(w).passed(r, None) * 2)),
        Mutant("walks that touch S are counted", replace(plain, inside=lambda walk, nodes: any(n in nodes for n in walk))),
    ),
    reference="Schnake 2022, Sec. 3; Xiong 2022, on subgraphs by message passing",
    subject=plain,
    cases=cases,
    note="`m_u` is 1 in S and 0 elsewhere; `W_u` is the sum, over the walks inside S below a node u, of what one unit of "
    "relevance at u becomes. Points: three nodes in two layers with biases, run by the shipped models, rules and bias modes "
    "drawn for each layer.",
)
