"""Who executes which line: proofs and tests, recorded once with coverage's contexts."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Guards:
    """``seconds`` of each guard that passes on unchanged code; ``lines`` says which guards execute a line of a file."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def of(self, path: str, lines: tuple[int, int]) -> list[str]:
        """Guards that execute a statement; those of the whole file where it runs on import alone. The quickest first."""
        known = self.lines.get(path, {})
        found = {guard for line in range(lines[0], lines[1] + 1) for guard in known.get(line, ())}
        found = found or {guard for guards in known.values() for guard in guards}
        return sorted(found & self.seconds.keys(), key=lambda guard: self.seconds[guard])

    def write(self, path: Path) -> None:
        """Names are written once; lines refer to them by number."""
        names = sorted(
            {*self.seconds, *(name for known in self.lines.values() for found in known.values() for name in found)}
        )
        number = {name: n for n, name in enumerate(names)}
        lines = {
            file: {line: [number[name] for name in found] for line, found in known.items()}
            for file, known in self.lines.items()
        }
        path.write_text(json.dumps({"names": names, "seconds": self.seconds, "lines": lines}), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Guards":
        """What was written."""
        found = json.loads(path.read_text(encoding="utf-8"))
        names = found["names"]
        lines = {
            file: {int(line): [names[n] for n in numbers] for line, numbers in known.items()}
            for file, known in found["lines"].items()
        }
        return cls(found["seconds"], lines)


class Recording:
    """A run of coverage whose context is the guard that is being run; also a plugin of pytest."""

    def __init__(self, root: Path):
        self.root, self.seconds = root, dict[str, float]()
        coverage: Any = import_module("coverage")  # asked for by a recording alone
        self.coverage = coverage.Coverage(data_file=None, source=[str(root / "dtd")], config_file=False)

    def run(self, guard: str) -> None:
        """Lines belong to this guard from here on."""
        self.coverage.switch_context(guard)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        self.run(item.nodeid)
        start = time.perf_counter()
        found = yield
        if self.seconds.get(item.nodeid) != -1:
            self.seconds[item.nodeid] = time.perf_counter() - start
        return found

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed or report.skipped:
            self.seconds[report.nodeid] = -1

    def found(self) -> Guards:
        """What was recorded. Guards that fail or are skipped as things are guard nothing."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {}
        for file in data.measured_files():
            known = data.contexts_by_lineno(file)
            path = str(Path(file).relative_to(self.root))
            lines[path] = {n: sorted(name for name in names if name) for n, names in sorted(known.items())}
        return Guards({guard: round(t, 4) for guard, t in self.seconds.items() if t >= 0}, lines)


def record_proofs(root: Path, names: Iterable[str] = ()) -> Guards:
    """Which lines each proof runs, without the proof's own mutants."""
    recording = Recording(root)
    recording.coverage.start()
    proofs = import_module("proofs.registry").PROOFS
    for name in names or proofs:
        recording.run(name)
        start = time.perf_counter()
        failure = proofs[name].failure()
        recording.seconds[name] = -1 if failure else time.perf_counter() - start
    return recording.found()


def record_tests(root: Path, tests: Iterable[str]) -> Guards:
    """Which lines each quick test runs."""
    recording = Recording(root)
    recording.coverage.start()
    pytest.main([*tests, "-q", "--no-header", "-p", "no:xdist"], plugins=[recording])
    return recording.found()
