"""The printed derivation of a proof: its assumptions and the steps of its shown cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from proofs.judge import Step, entries
from proofs.kernel import Case, Proof

WORDS = {"positive": "> 0", "negative": "< 0", "nonnegative": "≥ 0", "nonpositive": "≤ 0", "nonzero": "≠ 0"}


@dataclass(frozen=True, eq=False)
class Shown:
    """A case to print, with its steps."""

    title: str
    steps: tuple[Step, ...]


def shown(proof: Proof) -> Iterator[Shown]:
    """The cases of a proof that make up its printed derivation; a step that was printed is not repeated."""
    printed = set()
    for case in proof.cases():
        if case.shown:
            steps = []
            for step in proof.steps(case.at, proof.subject):
                key = (step.shows, step.relation, str(entries(step.right)))
                if not step.quiet and (key not in printed or step.shows.startswith("R_j")):
                    printed.add(key)
                    steps.append(step)
            if steps:
                yield Shown(case.title, tuple(steps))


def assumptions(proof: Proof) -> list[str]:
    """What a proof assumes: conditions, and signs that its symbols carry. Formulas are in backticks."""
    found = list(proof.assumes)
    for case in proof.cases():
        if case.shown:
            found += [condition.text for condition in proof.conditions(case.at)]
            found += [f"`{text}`" for text in signs(case, proof)]
    return list(dict.fromkeys(found))


def signs(case: Case, proof: Proof) -> list[str]:
    """Signs of the symbols in a case's steps."""
    symbols = set()
    for step in proof.steps(case.at, proof.subject):
        for value in (*entries(step.left), *entries(step.right)):
            symbols |= unknowns(value)
    found = []
    for x in sorted(symbols, key=str):
        for assumption, word in WORDS.items():
            if getattr(x, f"is_{assumption}") and not x.is_integer:
                found.append(f"{letter(x)} {word}")
                break
    return found


def unknowns(value: Any) -> set:
    """Symbols and indexed symbols (with the generic index) of an expression."""
    value = sympy.sympify(value)
    indexed = {x for x in value.atoms(sympy.Indexed) if all(str(i) in "jk" for i in x.indices)}
    labels = {base.label for base in value.atoms(sympy.IndexedBase)}
    return indexed | {x for x in value.free_symbols if x.is_Symbol and x not in labels}


def letter(x: Any) -> str:
    """A symbol's name as a formula of the prose."""
    greek = {"alpha": "α", "beta": "β", "gamma": "γ", "epsilon": "ε", "sigma": "σ", "lambda": "λ", "mu": "μ", "tau": "τ"}
    name = f"{x.base}_{''.join(map(str, x.indices))}" if x.is_Indexed else str(x)
    return greek.get(name, name)
