"""``python -m proofs.mutation DIR``: record who executes which line, change lines of ``dtd/``, and see who notices.

A run that was cut goes on where it stopped: the directory keeps the copy, the recording and the table. It needs the extras
``test`` and ``proofs``.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch

from proofs.mutation.copies import FORK, copied, enter, third_party, warm
from proofs.mutation.guards import Guards, record_proofs, record_tests
from proofs.mutation.report import table
from proofs.mutation.survey import ROOMS, drawn, rows_of, run

PROJECT = Path(__file__).parents[2]
TESTS = ("tests/dtd", "tests/test_doctests.py")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("python -m proofs.mutation", description="Who notices when a line of dtd/ is wrong?")
    parser.add_argument("directory", type=Path, help="where the copy, the recording and changes.csv are kept")
    parser.add_argument("--count", type=int, default=400, help="changes to try (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="draws the changes (default: 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--rooms", nargs="+", default=ROOMS, help="files and folders of dtd/ to change")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the quick tests to ask")
    parser.add_argument("--report", action="store_true", help="print what is known, and run nothing")
    return parser


def recorded(base: Path, place: Path, record: Callable[[], Guards]) -> None:
    """A process that records what guards execute in the copy, and which modules they load."""
    enter(base)
    record().write(place)
    place.with_suffix(".modules").write_text("\n".join(third_party()), encoding="utf-8")


def recordings(directory: Path, base: Path, tests: Iterable[str]) -> tuple[Guards, Guards]:
    """Who executes which line, proofs and tests; recorded side by side where that is not known."""
    work = {"proofs": partial(record_proofs, base), "tests": partial(record_tests, base, tests)}
    places = {name: directory / f"{name}.json" for name in work}
    processes = [
        FORK.Process(target=recorded, args=(base, place, work[name])) for name, place in places.items() if not place.exists()
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise SystemExit("The recording failed; see above.")
    for place in places.values():
        warm(place.with_suffix(".modules").read_text(encoding="utf-8").split())
    proofs, found = map(Guards.read, places.values())
    return proofs, found


def work(directory: Path, base: Path, options: argparse.Namespace, guards: tuple[Guards, Guards], number: int) -> None:
    """One worker: every so-many-th change, in a copy of its own."""
    torch.set_num_threads(1)
    own = directory / f"copy{number}-{os.getpid()}"
    copied(base, own)
    mine = drawn(base, options.seed, options.rooms)[: options.count][number :: options.workers]
    for row in run(own, directory / "changes.csv", mine, *guards):
        print(f"{row.key}: {row.proof or '-'} | {row.test or '-'} ({row.seconds} s)", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    options = arguments().parse_args(argv)
    directory = options.directory.resolve()
    if not options.report:
        base = directory / "base"
        if not base.exists():
            copied(PROJECT, base)
        guards = recordings(directory, base, options.tests)
        processes = [FORK.Process(target=work, args=(directory, base, options, guards, n)) for n in range(options.workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    print(table(rows_of(directory / "changes.csv")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
