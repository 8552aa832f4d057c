"""A matrix product: LRP-ε on the products of its sums, each of which is shared out (AttnLRP, Proposition 3.3)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import sympy
from torch import Tensor

import dtd
from dtd import where
from dtd.propagation import Layer, Propagated, per_sample
from dtd.relevance import MatMulShares
from proofs.entries import of, unchecked
from proofs.judge import Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.primitives.passed import ANY_ENTRIES, Letters, Shipped, accounted, layer
from proofs.primitives.sums import tensors
from proofs.tensors import Function, explained
from proofs.units import J, i

OUTPUTS = ("1", "2")


def factors(at: Letters) -> tuple[Any, Any]:
    """One row and two columns, with any number of products in each sum. # shape: (1, 1, J), (1, J, 2)"""
    a: Any = at.each("a").reshape(1, 1, -1)
    columns = [at.each(f"b_{p}").reshape(1, -1) for p in OUTPUTS]
    b = of([[[column[0, k] for column in columns] for k in range(a.shape[-1])]])
    a.generic, b.generic = (-1, -2) if at.seed is None else (None, None)
    return a, b


def run(make: Callable, at: Letters, damped: bool, signs: tuple[int, int] = (1, 1)) -> Iterator[Step]:
    a, b = factors(at)
    share, epsilon = at.one("q", nonnegative=True), at.one("epsilon", positive=True) if damped else 0
    relevance = of([[[at.one(f"R_{p}") for p in OUTPUTS]]])
    y = a @ b
    found = make(share, epsilon).backward(layer(), (a, b, y), relevance)
    sides = signs if at.seed is None else [1 if value >= 0 else -1 for value in y.flat]
    denominators = [y[0, 0, p] + epsilon * sides[p] for p in range(2)]
    first, second = found.relevance
    uniform = sum(a[0, 0] * b[0, :, p] / denominators[p] * relevance[0, 0, p] for p in range(2))
    yield Step("R_a", first[0, 0], share * uniform, "`q` of `a_m b_mp/(y_p + ε sign y_p) R_p`, summed over outputs")
    for p in range(2):
        own = (1 - share) * a[0, 0] * b[0, :, p] / denominators[p] * relevance[0, 0, p]
        yield Step(f"R_b (column {p + 1})", second[0, :, p], own, "`1 - q` of it", quiet=p > 0)
    kept = sum((1 - y[0, 0, p] / denominators[p]) * relevance[0, 0, p] for p in range(2))
    yield from accounted(found, relevance, zeroth=kept)
    yield Step("Σ R_a + Σ R_b", sum(map(per_sample, found.relevance)), per_sample(relevance) - kept, "what ε leaves")


def needs(at: Letters) -> tuple:
    a, b = factors(at)
    y = a @ b
    return (never_zero(y, "no output is 0"),)


def cases() -> Iterator[Case]:
    for damped in (False, True):
        what = "ε > 0" if damped else "ε = 0"

        def steps(make, at, damped=damped):
            return run(make, at, damped)

        for seed in range(5):
            yield Case(f"{what}, point {seed}", Shipped(steps, Letters(seed), needs), point=True)
    a, *b = (sympy.IndexedBase(name, real=True) for name in ("a", *(f"b_{p}" for p in OUTPUTS)))
    sums = [sympy.Sum(a[i] * column[i], (i, 1, J)) for column in b]
    for signs in ((1, 1), (1, -1)):
        names = {1: {"positive": True}, -1: {"negative": True}}
        known = {s: sympy.Symbol(f"y_{p}", **names[sign]) for s, p, sign in zip(sums, OUTPUTS, signs, strict=True)}
        for damped in (False, True):

            def signed(make, at, damped=damped, signs=signs):
                return run(make, at, damped, signs)

            title = f"{ANY_ENTRIES}, outputs {'> 0' if signs == (1, 1) else '> 0 and < 0'}, {'ε > 0' if damped else 'ε = 0'}"
            at = Shipped(signed, Letters(), needs)
            yield Case(title, at, shown=damped and signs == (1, 1), where=known, extent=ANY_ENTRIES)
    mixed, x = Function(lambda x: x[:, :, :2] @ x[:, 0, 2:, None]), [[[1, 1, 1, 3]]]
    yield tensors(lambda: explained(mixed, x, [[[8]]]), [[[1, 3, 1, 3]]], "traced and explained: halves of `a_m b_m/y R`")
    quarter = dtd.Plan([(where.kind("matmul"), dtd.MatMulShares(0.25, damping=4.0))])
    expected = [[[sympy.Rational(1, 4), sympy.Rational(3, 4), sympy.Rational(3, 4), sympy.Rational(9, 4)]]]
    yield tensors(lambda: explained(mixed, x, [[[8]]], quarter), expected, "share 1/4, ε = 4: half of R stays")


def model(share, damping):
    return unchecked(MatMulShares, share=share, damping=damping)


class Doubled(MatMulShares):
    """Gradient × input: each factor takes all."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = unchecked(MatMulShares, share=1, damping=self.damping).backward(layer, saved, relevance)
        other = unchecked(MatMulShares, share=0, damping=self.damping).backward(layer, saved, relevance)
        return found._replace(relevance=(found.relevance[0], other.relevance[1]))


class Swapped(MatMulShares):
    """Each factor gets the other's share."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        share: Any = self.share
        return unchecked(MatMulShares, share=1 - share, damping=self.damping).backward(layer, saved, relevance)


class Hidden(MatMulShares):
    """What ε absorbs is not said."""

    def backward(self, layer: Layer, saved: Any, relevance: Tensor) -> Propagated:
        found = super().backward(layer, saved, relevance)
        return found._replace(balance=replace(found.balance, zeroth=0 * found.balance.zeroth))


proof = Proof(
    name="matmul",
    claim="AttnLRP's Proposition 3.3: a matrix product hands `q a_im b_mp R_ip/(y_ip + ε sign y_ip)` to `a_im` and `1 - q` "
    "of it to `b_mp` (`q = 1/2` in the paper); without ε it conserves, with it `ε/(ε + abs(y_ip))` of each output stays.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("each factor takes all: the halves dropped", lambda q, e: unchecked(Doubled, share=q, damping=e)),
        Mutant("the factors' shares swapped", lambda q, e: unchecked(Swapped, share=q, damping=e)),
        Mutant("what ε absorbs is not reported", lambda q, e: unchecked(Hidden, share=q, damping=e)),
    ),
    reference="Achtibat 2024, Proposition 3.3",
    subject=model,
    cases=cases,
    note="One row and two columns, with any number of products in each sum.",
)
