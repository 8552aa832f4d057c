"""A question of a user's file, without a change to the package: the section of the docs page is followed."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.report.__main__ import main
from experiments.runs.job import DONE, REFUSED, run, run_in_sweep
from experiments.runs.record import Outcome

PAGE = (Path(__file__).parents[2] / "docs" / "own_question.md").read_text(encoding="utf-8")
NAME, TARGET = "myquestions", "question._target_=myquestions.negative_relevance"
ASKED = ("question=own", "trusted=[myquestions]", "model=mlp", "model.epochs=1", "plan=four_rules")


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """The page's file in a directory of its own, from which modules are found."""
    (text,) = re.findall(rf"^Your file `{NAME}.py`:\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / f"{NAME}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop(NAME, None)


def test_it_is_answered_with_its_figures_swept_and_reported(brought, composed):
    out = brought / "out"
    assert run(composed(*ASKED, TARGET, "quiet=true", "+question.arguments.samples=3"), out) == DONE
    rows = pd.read_csv(out / "rows.csv")
    assert rows["sample"].nunique() == 3 and rows.negative.between(0, 1).all() and (out / "negative.pdf").exists()
    assert json.loads((out / "models.json").read_text())["accuracy"].keys() == {"mlp"}
    for seed in range(2):
        record = run_in_sweep(composed(*ASKED, TARGET, f"seed={seed}"), brought / "sweep" / str(seed), [])
        assert record.outcome is Outcome.done
    assert main([str(brought / "sweep")]) == 0
    report = brought / "sweep" / "report"
    source = (report / "tables" / "own_rows.tex").read_text()
    assert "How much relevance is negative?" in source and "accuracy 0." in source and "over 2 runs" in source
    assert (report / "figures" / "own_negative.pdf").exists() and (report / "figures" / "own_negative.tex").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((TARGET, "+question.arguments.samples=0"), "'question.arguments.samples' must be at least 1; found 0"),
        (("question._target_=myquestions.check",), "arguments of check are config"),
        ((TARGET, "trusted=[]"), "say so: trusted=[myquestions]"),
        (("question._target_=myquestions.nothing",), "no 'nothing' in myquestions"),
    ],
)
def test_what_is_no_question_is_refused(brought, composed, capsys, overrides, message):
    assert run(composed(*ASKED, *overrides), brought / "out") == REFUSED
    assert message in capsys.readouterr().out.replace("\n", " ")
