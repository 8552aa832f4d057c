"""What the proofs of attention's primitives share: a shipped propagation on symbols, any number of entries, its balance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

import sympy

from dtd.propagation import Propagated, per_sample
from proofs.entries import of
from proofs.judge import Condition, Step
from proofs.kernel import Case
from proofs.layers import indexed, real

ANY_ENTRIES = "any number of entries"


@dataclass(frozen=True)
class Letters:
    """Where the quantities of a claim come from: symbols for any number of entries, or rational numbers for three."""

    seed: int | None = None
    size: int = 3

    def each(self, name: str, axis: int = -1, **assumptions: bool) -> Any:
        """A quantity of each entry, along one axis. # shape: (1, J), or (1, J, 1) along the axis before the last"""
        values = [indexed(name, **assumptions)]
        if self.seed is not None:
            values = [self._drawn(f"{name}{k}", **assumptions) for k in range(self.size)]
        shape = (1, len(values)) if axis == -1 else (1, len(values), 1)
        return of(of(values).reshape(shape), axis if self.seed is None else None)

    def one(self, name: str, **assumptions: bool) -> Any:
        """One number."""
        return real(name, **assumptions) if self.seed is None else self._drawn(name, **assumptions)

    def _drawn(self, name: str, **assumptions: bool) -> sympy.Rational:
        random = Random(f"{self.seed} {name}")
        sign = 1 if assumptions.get("positive") else -1 if assumptions.get("negative") else random.choice((1, -1))
        return sympy.Rational(sign * random.randint(1, 7), random.choice((1, 2, 3)))


@dataclass(frozen=True, eq=False)
class Shipped:
    """A shipped propagation on symbols: the steps of a subject, and what must hold."""

    run: Callable[[Any, Letters], Iterator[Step]]
    letters: Letters
    needs: Callable[[Letters], tuple[Condition, ...]] = lambda letters: ()

    def steps(self, subject: Any) -> Iterator[Step]:
        yield from self.run(subject, self.letters)

    def conditions(self) -> tuple[Condition, ...]:
        return self.needs(self.letters)


def shipped(run: Callable, needs: Callable = lambda letters: (), what: str = "", points: int = 6) -> Iterator[Case]:
    """Rational points with three entries, then any number of entries."""
    for seed in range(points):
        yield Case(f"{what} point {seed}".strip(), Shipped(run, Letters(seed), needs), point=True)
    yield Case(f"{what} {ANY_ENTRIES}".strip(), Shipped(run, Letters(), needs), shown=True, extent=ANY_ENTRIES)


def layer(op: Any = None, **known: Any) -> Any:
    """What a propagation reads of a layer."""
    return SimpleNamespace(op=op, **({"held": ()} | known))


def accounted(found: Propagated, relevance: Any, bias: Any = 0, zeroth: Any = 0) -> Iterator[Step]:
    """The balance of what was handed down: its parts are those claimed, and nothing is lost."""
    b = found.balance
    yield Step("R_bias", b.bias, bias, "the share of constants")
    yield Step("zeroth", b.zeroth, zeroth, "what is not handed down")
    yield Step("remainder", b.remainder, 0, "nothing beyond first order is used", quiet=True)
    handed = sum(per_sample(part) for part in found.relevance)
    yield Step("Σ_j R_j + R_bias + zeroth", handed + b.bias + b.zeroth, per_sample(relevance), "nothing is lost")
