"""Tables and figures of a report in real documents of LaTeX: nothing is wider than the text around it."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from experiments.report.__main__ import POINTS, WIDTHS, main
from tests.experiments.report.conftest import faithful

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
HEAD = "\\documentclass%s{article}\\usepackage{booktabs,graphicx}\\graphicspath{{figures/}}\\begin{document}"


def compiled(folder: Path, options: str, body: str) -> str:
    """The log of a document."""
    (folder / "main.tex").write_text(HEAD % options + body + "\\end{document}")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "main"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    log = (folder / "main.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


def test_the_widths_are_those_of_the_class(tmp_path):
    body = "\\typeout{W \\the\\textwidth\\space \\the\\columnwidth}x"
    found = {o: re.search(r"W ([\d.]+)pt ([\d.]+)pt", compiled(tmp_path, o, body)).groups() for o in ("", "[twocolumn]")}
    assert WIDTHS["text"] * POINTS == pytest.approx(float(found[""][0]))
    assert WIDTHS["column"] * POINTS == pytest.approx(float(found["[twocolumn]"][1]))


@pytest.mark.parametrize(("width", "models"), [("column", 2), ("200pt", 4), ("text", 8)])
def test_what_a_report_writes_fits_in_one_column_and_in_two(made, tmp_path, width, models):
    tables = {}
    for name in faithful(0, 0.25):
        parts = [faithful(0, 0.25)[name].assign(model=f"model_{i}") for i in range(models)]
        tables[name] = pd.concat(parts, ignore_index=True)
    for seed in range(2):
        made(tmp_path / "sweep" / str(seed), seed, tables=tables)
    assert main([str(tmp_path / "sweep"), "--font", "serif", "--width", width]) == 0
    report = tmp_path / "sweep" / "report"
    sources = [*(report / "tables").glob("*.tex"), *(report / "figures").glob("*.tex")]
    assert len(sources) == 1 + len(list((report / "figures").glob("*.pdf"))) > 1
    body = "".join(f"\\input{{{path.relative_to(report).with_suffix('').as_posix()}}}\\clearpage " for path in sources)
    for options in ("", "[twocolumn]"):
        log = compiled(report, options, "Text. " + body)
        assert "Overfull" not in log and "Missing character" not in log and "too large" not in log


def test_a_wide_table_spans_both_columns(made, tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.report.section.drawn", lambda key, table: {})
    run = tmp_path / "sweep"
    for seed in range(2):
        made(run / str(seed), seed)
    for measures, kind in ((["--measures", "aopc_morf"], "{table}"), ([], "{table*}")):
        assert main([str(run), *measures]) == 0
        assert f"\\begin{kind}" in (run / "report" / "tables" / "faithfulness_rows.tex").read_text()
