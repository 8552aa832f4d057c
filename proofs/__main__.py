"""``python -m proofs`` checks every proof, ``python -m proofs gamma --steps`` prints one, ``--latex DIR`` writes all."""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from proofs.kernel import Result
from proofs.latex import write
from proofs.overview import overview_table
from proofs.page import parts_of, written
from proofs.registry import PROOFS
from proofs.terminal import mutants_table, print_derivation, results_table


def check(name: str) -> Result:
    """Check one proof; the unit of work of a worker process."""
    return PROOFS[name].check()


def check_all(names: list[str], workers: int) -> Iterator[Result]:
    """Results in the order of ``names``."""
    if workers == 1:
        yield from map(check, names)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(check, names)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m proofs", description="Derive every LRP rule from its root point, and check it."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="proofs to check; all of them when left out")
    parser.add_argument("--steps", action="store_true", help="print the derivations instead of checking them")
    parser.add_argument("--latex", type=Path, metavar="DIR", help="write one .tex for each proof, and derivations.tex")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the tables of docs/rules.md or docs/rigour.md anew")
    parser.add_argument(
        "--overview", action="store_true", help="print which rules have a root in their domain, with examples"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that check proofs (default: 2)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status is 0 when every proof holds and every mutant is killed."""
    parser = arguments()
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in PROOFS]
    if unknown:
        parser.error(f"no proof named {', '.join(unknown)}; the proofs are {', '.join(PROOFS)}")
    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width of its own
        console = Console(width=max(console.width, 140))
    names = options.names or list(PROOFS)
    if options.latex:
        console.print(f"wrote {len(write(options.latex))} files to {options.latex}")
        return 0
    if options.page:
        text = written(options.page.read_text(encoding="utf-8"), parts_of(options.page))
        options.page.write_text(text, encoding="utf-8")
        return 0
    if options.overview:
        console.print(overview_table())
        return 0
    if options.steps:
        for name in names:
            print_derivation(console, PROOFS[name])
        return 0
    start = time.perf_counter()
    results = []
    with console.status("checking") as status:
        for result in check_all(names, options.workers):
            results.append(result)
            status.update(f"checked {len(results)} of {len(names)}: {result.name}")
    return report(console, results, time.perf_counter() - start)


def report(console: Console, results: list[Result], seconds: float) -> int:
    """Print the tables and whatever failed."""
    console.print(mutants_table(results))
    console.print(results_table(results))
    bad = [result for result in results if not result.ok]
    for result in bad:
        for failure in result.failures[:3]:
            console.print(f"[bold red]{result.name}[/bold red] {failure.verdict}: {escape(str(failure))}", highlight=False)
    steps, killed = sum(r.steps for r in results), sum(len(r.killed) for r in results)
    console.print(
        f"{len(results) - len(bad)} of {len(results)} proofs hold, {killed} mutants killed, {steps} relations checked, "
        f"{seconds:.0f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
