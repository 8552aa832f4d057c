"""Reports of runs on disk: numbers against means taken by hand, errors, and no model anywhere."""

import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from dtd.plans.rules import catalogue
from experiments.questions.base import Question
from experiments.report import references
from experiments.report.__main__ import REFUSED, main
from experiments.report.cells import stacked
from experiments.runs.record import Outcome
from tests.experiments.report.conftest import faithful


@pytest.fixture(autouse=True)
def no_models(monkeypatch):
    """A report that makes or traces a model fails."""

    def refuse(*_, **__):
        raise AssertionError("a report must not make a model")

    monkeypatch.setattr(torch.nn.Module, "__init__", refuse)
    monkeypatch.setattr(torch.export, "export", refuse)


@pytest.fixture
def undrawn(monkeypatch):
    """Without figures, which take the time."""
    monkeypatch.setattr("experiments.report.section.drawn", lambda key, table: {})


def lines(source: str) -> list[list[str]]:
    """The cells of a LaTeX table's body."""
    body = source[source.index("\\midrule") : source.index("\\bottomrule")]
    return [[cell.strip() for cell in line.rstrip("\\ ").split("&")] for line in body.splitlines() if "&" in line]


def test_means_and_deviations_are_those_over_seeds_of_means_over_samples(undrawn, made, tmp_path):
    for seed in range(3):
        made(tmp_path / "sweep" / str(seed), seed)
    assert main([str(tmp_path / "sweep"), "--measures", "aopc_morf,conservation"]) == 0
    source = (tmp_path / "sweep" / "report" / "tables" / "faithfulness_rows.tex").read_text()
    of_seeds = [np.mean([0.5 + 0.02 * s + 0.01 * i + 0.001 * 0.25 for i in range(2)]) for s in range(3)]
    gamma, zplus, random = lines(source)
    assert gamma == [
        "LRP-$\\gamma$",
        f"${np.mean(of_seeds):.3f} \\pm {np.std(of_seeds, ddof=1):.3f}$",
        "$\\mathbf{0.000} \\pm 0.000$",
    ]
    assert zplus[0] == "z$^{+}$" and zplus[2] == "$0.100 \\pm 0.000$"
    assert random[1].startswith("$\\mathbf{0.725}") and random[2] == "--"  # the largest area is the best
    assert (
        r"\shortstack[r]{AOPC\\MoRF $\uparrow$}" in source
        and "over 3 runs" in source
        and "Model: MLP, value: 0.0, $\\gamma$ = 0.25, n = 2 samples." in source
        and "uncertain by 50 \\%" in source
    )


def test_a_setting_that_differs_becomes_a_column_sorted_as_numbers_and_an_axis(made, tmp_path):
    for gamma in (10.0, 0.5):
        for seed in range(2):
            made(tmp_path / "sweep" / f"{gamma}-{seed}", seed, gamma)
    assert main([str(tmp_path / "sweep"), "--out", str(tmp_path / "out"), "--along", "gamma"]) == 0
    source = (tmp_path / "out" / "tables" / "faithfulness_rows.tex").read_text()
    assert [line[1] for line in lines(source)] == ["0.5", "10.0"] * 3
    assert "over 2 runs" in source and "seed" not in source and "threads" not in source
    drawn = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"faithfulness_curves.pdf", "faithfulness_rows_aopc_morf.pdf", "faithfulness_rows_aopc_morf.png"} <= drawn


def test_a_setting_that_rows_have_a_column_of_the_same_name_for_keeps_its_whole_name(undrawn, made, tmp_path):
    table = pd.DataFrame({"model": "mlp", "value": 0.0, "plan": "p", "gamma": [1, 2], "aopc_morf": 0.5, "order": "most"})
    tables = {"rows": table, "curves": table.assign(gone=0.0, drop=0.0)}
    for gamma in (0.5, 1.0):
        made(tmp_path / "sweep" / str(gamma), gamma=gamma, tables=tables)
    assert main([str(tmp_path / "sweep")]) == 0
    source = (tmp_path / "sweep" / "report" / "tables" / "faithfulness_rows.tex").read_text()
    assert "config plan.parameters.gamma" in source and [line[-2] for line in lines(source)] == ["0.5", "1.0"]


def test_a_baseline_that_every_plan_of_a_sweep_repeats_is_one_line_and_counts_once_a_seed(undrawn, made, tmp_path):
    for plan in ("gamma", "zplus"):
        for seed in range(2):
            tables = {name: table[table.plan.isin([plan, "random"])] for name, table in faithful(seed, 0.25).items()}
            made(tmp_path / "sweep" / f"{plan}-{seed}", seed, gamma=0.25 if plan == "gamma" else None, tables=tables)
    assert main([str(tmp_path / "sweep"), "--measures", "aopc_morf"]) == 0
    source = (tmp_path / "sweep" / "report" / "tables" / "faithfulness_rows.tex").read_text()
    found = dict(lines(source))
    assert set(found) == {r"LRP-$\gamma$", "z$^{+}$", "random order"} and "over 2 runs" in source
    means = [0.705, 0.725]  # of the seeds, over samples
    assert f"{np.mean(means):.3f}" in found["random order"] and f"{np.std(means, ddof=1):.3f}" in found["random order"]


def test_an_axis_in_which_nothing_differs_is_refused(undrawn, made, tmp_path, capsys):
    assert main([str(made(tmp_path / "run")), "--along", "gamma"]) == REFUSED
    said = " ".join(capsys.readouterr().out.split())
    assert "Nothing differs in 'gamma' in the rows of 'faithfulness'; what is compared is plan." in said


def test_one_run_has_no_deviations(undrawn, made, tmp_path):
    run = made(tmp_path / "run")
    assert main([str(run)]) == 0
    source = (run / "report" / "tables" / "faithfulness_rows.tex").read_text()
    assert "\\pm" not in source and "$\\mathbf{0.705}$" in source


def test_the_page_holds_everything_and_refers_to_nothing(made, tmp_path):
    for seed in range(2):
        made(tmp_path / "sweep" / str(seed), seed)
    assert main([str(tmp_path / "sweep")]) == 0
    page = (tmp_path / "sweep" / "report" / "report.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 2
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "<strong>0.715</strong>" in page and "LRP-γ" in page and "0123456789" in page
    assert '<th class="key">data.seed</th>' in page and "threads</th>" not in page


def plain_question() -> ModuleType:
    """A question that says nothing about its tables."""
    module = ModuleType("experiments.questions.plain", "Is it plain?")
    module.__spec__ = ModuleSpec(module.__name__, None)
    module.QUESTION = Question(check=None, tables=None, show=None, figures=lambda tables: {}, problems=None)
    return module


def test_several_questions_get_a_section_each_and_plain_rows_are_read_by_their_types(undrawn, made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "experiments.questions.plain", plain_question())
    table = pd.DataFrame({"rule": ["a", "b"], "n": [1, 2], "share": [0.25, 0.75], "value": [1e-9, 2e-9]})
    a = made(tmp_path / "a")
    b = made(tmp_path / "b", question="plain", tables={"rows": table})
    assert main([str(a), str(b), "--out", str(tmp_path / "out")]) == 0
    found = lines((tmp_path / "out" / "tables" / "plain_rows.tex").read_text())
    assert found == [["a", "$0.250$", "$1.0 \\cdot 10^{-9}$"], ["b", "$0.750$", "$2.0 \\cdot 10^{-9}$"]]
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'id="faithfulness"' in page and 'id="plain"' in page


def test_what_is_unfinished_or_failed_or_repeated_is_named_and_left_out(undrawn, made, tmp_path, capsys):
    made(tmp_path / "sweep" / "done")
    made(tmp_path / "sweep" / "killed", seed=1, outcome=None)
    made(tmp_path / "sweep" / "failed", seed=2, outcome=Outcome.failed)
    made(tmp_path / "sweep" / "again")
    assert main([str(tmp_path / "sweep")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "killed' is unfinished: killed, or still running." in said
    assert "failed' failed: no such rule" in said and "repeats" in said
    assert "runs" not in (tmp_path / "sweep" / "report" / "tables" / "faithfulness_rows.tex").read_text()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda made, path: None, "is not a directory. Give that of a run or of a sweep"),
        (lambda made, path: path.mkdir(), "There is no run in it: a run leaves rows.csv"),
        (lambda made, path: made(path, outcome=None), "is unfinished: killed, or still running"),
        (lambda made, path: made(path, outcome=Outcome.refused), "refused: no such rule"),
    ],
)
def test_where_there_is_nothing_to_report_the_error_says_why(undrawn, made, tmp_path, capsys, prepare, message):
    prepare(made, tmp_path / "run")
    assert main([str(tmp_path / "run")]) == REFUSED
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Refused: ") and message in said
    assert not (tmp_path / "run" / "report").exists()


def test_a_measure_that_is_not_there_is_refused_with_those_that_are(undrawn, made, tmp_path, capsys):
    run = made(tmp_path / "run")
    assert main([str(run), "--measures", "aopc"]) == REFUSED
    assert "has no measure aopc; it has aopc_lerf, aopc_morf, conservation" in " ".join(capsys.readouterr().out.split())


def test_a_question_that_is_not_here_is_refused(undrawn, made, tmp_path, capsys):
    assert main([str(made(tmp_path / "run", question="gone"))]) == REFUSED
    assert "asked 'gone', which is no question here" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("width", ["wide", "0.1"])
def test_a_width_that_is_none_is_refused(made, tmp_path, capsys, width):
    with pytest.raises(SystemExit, match="2"):
        main([str(made(tmp_path / "run")), "--width", width])
    assert "--width: must be" in capsys.readouterr().err


def test_a_table_is_never_wider_than_the_text_around_it(made, undrawn, tmp_path):
    main([str(made(tmp_path / "run"))])
    source = (tmp_path / "run" / "report" / "tables" / "faithfulness_rows.tex").read_text()
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    assert source.index(fitted) < source.index(r"\begin{tabular}") < source.index(r"\end{tabular}}")
    assert r"\shortstack[r]{AOPC\\MoRF $\uparrow$}" in source


@pytest.mark.parametrize(
    ("label", "set_in"),
    [
        ("ratio", "ratio"),
        ("valid roots ↑", r"\shortstack[r]{valid\\roots $\uparrow$}"),
        ("conservation → 1", r"conservation $\rightarrow$ 1"),
        ("MoRF − LeRF ↑", r"\shortstack[r]{MoRF $-$\\LeRF $\uparrow$}"),
    ],
)
def test_words_of_a_name_stand_below_each_other_and_signs_beside_them(label, set_in):
    assert stacked(label) == set_in


def test_lines_of_a_report_are_ordered_by_names_and_not_by_directories(undrawn, made, tmp_path):
    for directory, model in (("zz", "a_net"), ("aa", "b_net")):
        tables = {name: table.assign(model=model) for name, table in faithful(0, 0.25).items()}
        path = made(tmp_path / "sweep" / directory, tables=tables)
        record = path / "outcome.json"
        record.write_text(record.read_text().replace('"key": "', f'"key": "{model}'))
    assert main([str(tmp_path / "sweep"), "--measures", "aopc_morf"]) == 0
    found = lines((tmp_path / "sweep" / "report" / "tables" / "faithfulness_rows.tex").read_text())
    assert [line[0] for line in found if line[0]] == ["a net", "b net"]


def test_references_are_those_of_dtd_and_of_the_rules_used(undrawn, made, tmp_path):
    run = made(tmp_path / "run")
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("parameters:", "rule: zplus\n  parameters:"))
    assert main([str(run)]) == 0
    found = (run / "report" / "references.bib").read_text()
    assert re.findall(r"@\w+\{(\w+),", found) == ["dtd", "montavon2017"]


def test_every_rule_and_preset_has_its_references():
    source = (Path(references.__file__).parent / "templates" / "references.bib").read_text()
    entries = set(re.findall(r"@\w+\{(\w+),", source))
    assert set(catalogue) <= set(references.USED)
    assert {key for keys in references.USED.values() for key in keys} | {references.OWN} == entries


def test_the_page_has_a_table_of_contents_whose_links_lead_somewhere(made, tmp_path):
    assert main([str(made(tmp_path / "run"))]) == 0
    page = (tmp_path / "run" / "report" / "report.html").read_text()
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) >= 4 and all(page.count(f'id="{link}"') == 1 for link in links)
    assert "@media print" in page and "@media (max-width" in page
