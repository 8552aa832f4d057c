"""The committed LaTeX is what the proofs print, and it compiles."""

import shutil
import subprocess
from pathlib import Path

import pytest

import proofs
from proofs.latex import write

COMMITTED = Path(proofs.__file__).parent / "tex"
FRESH = "python -m proofs --latex proofs/tex"


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tex")
    return {path.name: path for path in write(folder)}


def test_committed_tex_is_fresh(written):
    committed = {path.name for path in COMMITTED.glob("*.tex")}
    assert committed == set(written), f"run {FRESH}"
    for name, path in written.items():
        assert (COMMITTED / name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), f"{name}: run {FRESH}"


def test_every_step_is_numbered_with_its_reason(written):
    text = written["gamma.tex"].read_text(encoding="utf-8")
    assert text.count(r"\item") >= 10
    assert r"\textbf{Claim.}" in text and r"\textbf{Assumptions.}" in text and r"\textbf{Reference.}" in text


def test_formulas_are_written_in_commands(written):
    foreign = {c for path in written.values() for c in path.read_text(encoding="utf-8") if ord(c) > 127}
    assert foreign <= set("é×"), "signs that LaTeX's text fonts do not have: give them a command in proofs/notation.py"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (Debian: texlive-latex-recommended)")
def test_derivations_compile(written):
    folder = written["derivations.tex"].parent
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivations.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "derivations.pdf").stat().st_size > 50_000
