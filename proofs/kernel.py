"""What a proof is, and when it counts as one.

A proof runs the objects it is about (its *subject*: a rule of the catalogue, a direction, a formula) and yields steps
``left = right``. It is run in cases: with an unspecified number of inputs, for every pattern of signs at a small
number, and at exact rational points. It is *proved* when every step of every case reduces to zero exactly, every
denominator is kept from zero by an assumption, and every mutant of the subject is refuted by the same steps. It is *refuted*
when a step is false at an exact point, and *undecided* otherwise.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proofs.judge import PROVED, REFUTED, UNDECIDED, Condition, Failure, Step, entries, holds, judge, pairs
from proofs.reduce import Reduction


@dataclass(frozen=True, eq=False)
class Case:
    """One setting in which a proof is run.

    ``at`` are the quantities that the steps use. A case is a *point* when they are numbers; otherwise ``where`` replaces
    normal forms (a sum by a symbol with a sign). ``shown`` cases make up the printed derivation. ``extent`` says in
    words for what sizes a case with symbols holds: any number of inputs, or so many.
    """

    title: str
    at: Any
    point: bool = False
    shown: bool = False
    where: Mapping = field(default_factory=dict)
    extent: str = ""


@dataclass(frozen=True, eq=False)
class Mutant:
    """A changed subject; the proof must fail for it."""

    change: str
    subject: Any


@dataclass(frozen=True, eq=False)
class Result:
    """What came of checking a proof: plain data, so that it can pass between processes."""

    name: str
    verdict: str
    failures: tuple[Failure, ...]
    killed: Mapping[str, Failure]  # mutation -> the step that refuted it
    survivors: tuple[str, ...]
    steps: int  # exact relations checked
    points: int  # exact points among the cases
    seconds: float
    extents: tuple[str, ...]  # for what it is shown, beside the points

    @property
    def ok(self) -> bool:
        """Proved, with every mutant killed."""
        return self.verdict == PROVED and not self.survivors


@dataclass(frozen=True, eq=False)
class Proof:
    """A claim about a subject, its steps, the conditions it needs, mutants that must fail, and its source."""

    name: str
    claim: str
    steps: Callable[[Any, Any], Iterable[Step]]  # (case.at, subject)
    conditions: Callable[[Any], Iterable[Condition]]  # (case.at)
    mutants: tuple[Mutant, ...]
    reference: str
    subject: Any
    cases: Callable[[], Iterable[Case]]
    assumes: tuple[str, ...] = ()  # in words
    note: str = ""

    def __post_init__(self):
        if len(self.mutants) < 2:
            raise ValueError(f"Proof '{self.name}' needs at least two mutants; it has {len(self.mutants)}.")

    def check(self) -> Result:
        """Run the proof and its mutants."""
        start = time.perf_counter()
        failures, extents, steps, points, symbolic = [], [], 0, 0, 0
        for case in self.cases():
            count, failure = self._run(case, self.subject)
            steps += count
            failures += [failure] if failure else []
            points += bool(case.point and count)
            symbolic += bool(not case.point and count)
            extents += [case.extent] if not case.point and count else []
        killed, survivors = {}, []
        for mutant in self.mutants:
            refutation = self._refute(mutant)
            if refutation is None:
                survivors.append(mutant.change)
            else:
                killed[mutant.change] = refutation
        verdicts = {failure.verdict for failure in failures}
        proved = not verdicts and points and symbolic
        verdict = REFUTED if REFUTED in verdicts else PROVED if proved else UNDECIDED
        seconds = time.perf_counter() - start
        shown_for = tuple(dict.fromkeys(extents))
        return Result(self.name, verdict, tuple(failures), killed, tuple(survivors), steps, points, seconds, shown_for)

    def failure(self) -> Failure | None:
        """The first step of any case that does not hold; None for a proof that holds. Mutants are not run."""
        return next(filter(None, (self._run(case, self.subject)[1] for case in self.cases())), None)

    def _refute(self, mutant: Mutant) -> Failure | None:
        """A step that the mutant makes false at an exact point."""
        for case in self.cases():
            if case.point:
                _, failure = self._run(case, mutant.subject)
                if failure and failure.verdict == REFUTED:
                    return failure
        return None

    def _run(self, case: Case, subject: Any) -> tuple[int, Failure | None]:
        """How many relations were checked, and the first failure; (0, None) where a point violates the conditions."""
        conditions = tuple(self.conditions(case.at))
        if case.point and not all(map(holds, conditions)):
            return 0, None
        reduction = Reduction(
            tuple(x for c in conditions for x in entries(c.expression) if c.relation == "!="),
            tuple(x for c in conditions for x in entries(c.expression) if c.relation == ">"),
            case.where,
        )
        if reduction.vacuous:
            return 0, None
        count = 0
        for step in self.steps(case.at, subject):
            for left, right in pairs(step):
                count += 1
                failure = judge(step, left, right, reduction, case.title)
                if failure:
                    return count, failure
        return count, None


def unconditional(_: Any) -> tuple[Condition, ...]:
    """No conditions."""
    return ()


def never_zero(expression: Any, text: str) -> Condition:
    """The condition that an expression is not 0."""
    return Condition(expression, "!=", text)
