"""When conservation and positivity fix a rule: with one more demand, that splitting an input changes nothing, it is z⁺."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import sympy

from dtd.plans.rules import catalogue
from proofs.judge import Condition, Step
from proofs.kernel import Case, Mutant, Proof, never_zero
from proofs.layers import INPUTS
from proofs.symbols import array
from proofs.units import FiniteMap

STEPS = 6  # contributions -6 h … 6 h
CREDIT = {n: sympy.Symbol(f"c_{'m' if n < 0 else ''}{abs(n)}", real=True) for n in range(-STEPS, STEPS + 1)}


@dataclass(frozen=True)
class Subject:
    """The rule that is claimed to be the only one."""

    rule: str = "zplus"
    numbers: dict[str, Any] = field(default_factory=dict)

    def shares(self, contributions: list) -> Any:
        """Shares of inputs with ``a_j = 1`` and these weights. # shape: (J,)"""
        bias = array([0 * contributions[0]])
        layer = FiniteMap(weight=array([contributions]), bias=bias, in_shape=(len(contributions),), out_shape=(1,))
        one = array([[1 for _ in contributions]])
        return catalogue[self.rule].explicit(**self.numbers).propagate(layer, one, array([[Fraction(1)]]), INPUTS)[0][0]


@dataclass(frozen=True)
class Additive:
    """What follows for the credit ``c(x)`` of a contribution x, on multiples of a number h."""

    def solved(self, mixed: bool) -> dict:
        """All credits by those of ``h`` and ``-h``, from ``c(x + y) = c(x) + c(y)`` for x, y of one sign (or any)."""
        pairs = [(m, n) for m in CREDIT for n in CREDIT if m + n in CREDIT and (mixed or m * n > 0)]
        equations = [CREDIT[m] + CREDIT[n] - CREDIT[m + n] for m, n in pairs]
        unknown = [x for n, x in CREDIT.items() if n != 1 and (mixed or n != -1)]
        (found,) = sympy.linsolve(equations, unknown)
        return dict(zip(unknown, found, strict=True))

    def conditions(self) -> Iterator[Condition]:
        yield never_zero(CREDIT[1], "what speaks for a unit is credited")

    def steps(self, subject: Subject) -> Iterator[Step]:
        parted, whole = self.solved(False), self.solved(True)
        for n in range(2, STEPS + 1):
            for sign in (1, -1):
                why = "splitting an input into parts of its sign changes no share: credit is proportional to size"
                yield Step(f"c({n * sign} h)", parted[CREDIT[n * sign]], n * CREDIT[sign], why, quiet=n > 2)
        why = "were it to hold for parts of either sign too, what speaks against gets less than nothing: LRP-0, not positive"
        yield Step("c(-h)", whole[CREDIT[-1]], -CREDIT[1], why)
        positive = {CREDIT[-1]: 0}  # what speaks against a unit is not credited with it
        for given in ((1, 2, -3), (4, -2, 1), (5, 3, 2)):
            credits = [0 if n < 0 else parted.get(CREDIT[n], CREDIT[n]) for n in given]
            total = sum(credits)
            claimed = subject.shares([sympy.Integer(n) for n in given])
            shares = array([sympy.sympify(c / total).subs(positive) for c in credits])
            yield Step("c(x_j)/Σ_i c(x_i)", shares, claimed, "so the rule is `z⁺`")


@dataclass(frozen=True)
class Splits:
    """Exact contributions: the rule is conserving, not negative, and the same when an input is split."""

    contributions: tuple
    part: Any

    def conditions(self) -> Iterator[Condition]:
        yield never_zero(sum(max(x, 0) for x in self.contributions), "something speaks for the unit")

    def steps(self, subject: Subject) -> Iterator[Step]:
        first, *rest = self.contributions
        whole = subject.shares([first, *rest])
        split = subject.shares([first * self.part, first * (1 - self.part), *rest])
        yield Step("Σ_j p_j", whole.sum(), 1, "conservation")
        yield Step("min p_j", min(whole), 0, "positivity", relation=">=")
        yield Step("p_1", split[0] + split[1], whole[0], "the two parts of an input get what the input got")
        yield Step("p_2", split[2:], whole[1:], "and the others what they got")
        for x, p in zip(self.contributions, whole, strict=True):
            if x <= 0:
                yield Step("p_j of x_j ≤ 0", p, 0, "what speaks against gets nothing")


def cases() -> Iterator[Case]:
    for seed in range(24):
        random = Random(seed)
        given = tuple(Fraction(random.randint(-6, 6), random.choice((1, 2, 3))) for _ in range(3))
        yield Case(f"x={given}", Splits(given, Fraction(random.randint(1, 4), 5)), point=True)
    yield Case("credits", Additive(), shown=True, extent="three inputs")


proof = Proof(
    name="single_rule",
    claim="Conservation and positivity leave many rules (`every_root`). If shares are `c(x_j)/Σ_i c(x_i)` with one function "
    "of the contribution `x_j = a_j w_j`, splitting an input into two of its sign changes no share, and what speaks against "
    "a unit gets nothing, then c is proportional to `x⁺`: the rule is `z⁺`. Splitting into parts of either sign "
    "leaves LRP-0 alone, which is not positive.",
    steps=lambda at, subject: at.steps(subject),
    conditions=lambda at: at.conditions(),
    mutants=(
        Mutant("LRP-0", Subject("lrp0")),
        Mutant("w²", Subject("wsquare")),
        Mutant("flat", Subject("flat")),
        Mutant("LRP-γ", Subject("gamma", {"gamma": Fraction(1, 4)})),
    ),
    reference="Own derivation (Cauchy's functional equation); compare Sixt & Landgraf 2022 on what roots leave open",
    subject=Subject(),
    cases=cases,
    note="Symbols: contributions that are multiples of one number, up to six of it; between them c is monotone, being "
    "additive and not negative.",
)
