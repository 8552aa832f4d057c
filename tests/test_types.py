"""A type checker on the packages, on what a user writes, and on what a user should not write."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"


def checked(cache: Path, *arguments: str) -> subprocess.CompletedProcess:
    """mypy with the project's configuration."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(cache), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def test_what_a_user_writes_has_types(cache):
    done = checked(cache, str(TYPED / "user.py"))
    assert done.returncode == 0, done.stdout


def test_what_is_wrong_is_refused_line_by_line(cache):
    wrong = TYPED / "wrong.py"
    found = re.findall(r"wrong\.py:(\d+): error: .*\[([a-z-]+)\]", checked(cache, str(wrong)).stdout)
    lines = enumerate(wrong.read_text().splitlines(), 1)
    assert found == [(str(n), said[1]) for n, line in lines if (said := re.search(r"  # ([a-z-]+)$", line))]


def test_the_packages_have_types(cache):
    done = checked(cache)
    assert done.returncode == 0, done.stdout
