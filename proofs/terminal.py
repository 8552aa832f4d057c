"""Derivations and verdicts in the terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from proofs.derivation import Shown, assumptions, shown
from proofs.judge import PROVED, Step, entries
from proofs.kernel import Proof, Result
from proofs.notation import line, plain
from proofs.registry import PROOFS

COLOURS = {PROVED: "green", "refuted": "bold red", "undecided": "yellow"}


def results_table(results: Iterable[Result]) -> Table:
    """Claim, for what sizes it is shown, verdict, mutants killed, seconds and reference of each proof."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("proof", "claim", "shown for", "verdict"):
        table.add_column(title, overflow="fold")
    table.add_column("mutants", justify="right", overflow="fold")
    for title in ("steps", "points", "s"):
        table.add_column(title, justify="right")
    table.add_column("reference", overflow="fold")
    for result in results:
        proof = PROOFS[result.name]
        total = len(result.killed) + len(result.survivors)
        mutants = f"{len(result.killed)}/{total}"
        table.add_row(
            result.name,
            escape(plain(proof.claim)),
            escape("; ".join(result.extents)),
            Text(result.verdict, style=COLOURS[result.verdict]),
            Text(mutants, style="green" if not result.survivors else "bold red"),
            str(result.steps),
            str(result.points),
            f"{result.seconds:.1f}",
            escape(plain(proof.reference)),
        )
    return table


def mutants_table(results: Iterable[Result]) -> Table:
    """Which step refuted which mutant."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Mutants, and the step that refuted each", title_justify="left")
    for title in ("proof", "mutation", "step", "at"):
        table.add_column(title, overflow="fold", max_width=60 if title == "at" else None)
    for result in results:
        for change, failure in result.killed.items():
            table.add_row(result.name, escape(plain(change)), escape(failure.step), escape(failure.case))
        for change in result.survivors:
            table.add_row(result.name, escape(plain(change)), Text("SURVIVES", style="bold red"), "")
    return table


def print_derivation(console: Console, proof: Proof) -> None:
    """One proof, step by step."""
    console.print(f"[bold]{proof.name}[/bold]  {escape(plain(proof.claim))}")
    for assumption in assumptions(proof):
        console.print(f"  assume  {escape(plain(assumption))}", highlight=False)
    for case in shown(proof):
        print_case(console, case)
    if proof.note:
        console.print(f"\n[dim]{escape(plain(proof.note))}[/dim]")
    console.print(f"\n[dim]{escape(plain(proof.reference))}[/dim]\n")


def print_case(console: Console, case: Shown) -> None:
    """The numbered steps of a case."""
    console.print(f"\n[bold]{escape(case.title)}[/bold]")
    for number, step in enumerate(case.steps, 1):
        console.print(f"  {number}. {escape(step.shows)} {step.relation} {escape(right_side(step))}", highlight=False)
        console.print(f"     [dim]{escape(plain(step.reason))}[/dim]", highlight=False)


def right_side(step: Step) -> str:
    """The right side of a step as text."""
    if step.reads:
        return step.reads
    values = [line(value) for value in entries(step.right)]
    return values[0] if len(values) == 1 else f"({', '.join(values)})"
