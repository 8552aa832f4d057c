"""The question in process: tables, texts of every kind, exit status."""

from dataclasses import replace

import pandas as pd
import pytest

from dtd.lrp import LRPSignedZPlus
from dtd.plans.rules import catalogue
from experiments.machine.results import read_table
from experiments.runs.job import DONE, REFUSED, WRONG, run

NAMES = {"lrp0", "epsilon", "gamma_signed", "alphabeta", "zplus", "deep_taylor_2017", "wsquare_zplus", "flat_zplus"}
OTHERS = {"gradient_x_input", "leave_one_out", "random"}
FILES = {
    *("accuracy.csv", "texts.csv", "words.csv", "roots.csv", "deletion.csv", "rows.csv"),
    *("words.html", "words.tex", "deletion.pdf", "deletion.png"),
}


@pytest.fixture
def job(composed, overrides, tmp_path):
    """Run with further overrides; exit status and tables."""

    def start(*more: str):
        status = run(composed(*overrides, *more), tmp_path)
        return status, {path.stem: read_table(path) for path in tmp_path.glob("*.csv")}

    return start


def test_every_table_and_figure_is_there(job, tmp_path, capsys):
    status, tables = job()
    assert status == DONE and FILES <= {path.name for path in tmp_path.iterdir()}
    rows = tables["rows"].set_index("plan")
    assert set(rows.index) == NAMES | OTHERS and (rows.texts == 4).all()
    assert (rows.loc[list(NAMES)].compared == 2).all() and (rows.loc[list(OTHERS)].compared == 0).all()
    assert (rows.loc[list(NAMES)].of_allowed <= 1).all() and rows.area.between(0, 1).all() and rows.area_se.notna().all()
    assert rows.gain["random"] == 0 and rows.spread["wsquare_zplus"] == pytest.approx(0, abs=1e-12)
    assert set(tables["accuracy"].part) == {"train", "test"} and tables["accuracy"].accuracy.between(0, 1).all()
    texts, words = tables["texts"], tables["words"]
    assert len(texts) == 4 and set(texts.truth) <= {"positive", "negative"} and texts.probability.between(0.5, 1).all()
    assert set(words.text) == {0, 1} and set(words.plan) == NAMES | OTHERS - {"random"}
    sign = words.text.map(texts.predicted).map({"positive": 1, "negative": -1})
    assert (words.positive == sign * words.relevance).all()
    assert tables["deletion"].groupby("plan").deleted.count().eq(5).all()
    printed = capsys.readouterr().out
    assert "bag of words" in printed and "for negative:" in printed and "deep Taylor" in printed


def test_the_same_seed_gives_the_same_rows(job):
    first, second = (job("plan=zplus", "question.reviews=2", "figures=false")[1] for _ in range(2))
    assert first.keys() == second.keys() and all(table.equals(second[name]) for name, table in first.items())


@pytest.mark.parametrize(
    ("text", "count", "unknown", "unread"),
    [("good", 1, 0, 0), ("xqzz blorp", 2, 2, 0), ("null nan The good", 4, 2, 0), ("bad " * 9, 6, 0, 3)],
)
def test_any_text_is_explained(job, text, count, unknown, unread):
    status, tables = job(f"question.text='{text}'", "plan=zplus", "data.max_words=6", "figures=false")
    assert status == DONE
    (found,) = tables["texts"].itertuples()
    assert (found.words, found.unknown, found.unread) == (count, unknown, unread) and pd.isna(found.truth)
    words = tables["words"]
    assert list(words[words.plan == "zplus"].word) == text.split()[:6]
    assert (words[~words.known & words.plan.ne("leave_one_out")].relevance == 0).all()


@pytest.mark.parametrize("text", ["", "  "])
def test_a_text_without_a_word_has_a_prediction_and_no_relevance(job, capsys, text):
    status, tables = job(f"question.text='{text}'", "plan=zplus")
    assert status == DONE and len(tables["rows"]) == 0 and tables["texts"].words.tolist() == [0]
    assert "No text holds a word" in " ".join(capsys.readouterr().out.split())


def test_a_review_without_a_word_does_not_stop_the_others(job, tmp_path):
    for part, texts in {"train": ("good", "bad"), "test": ("", "A great film", "great")}.items():
        for side, text in zip(("neg", "pos", "pos"), texts, strict=False):
            place = tmp_path / "own" / part / side
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{len(text)}.txt").write_text(text)
    status, tables = job("plan=zplus", f"data.path={tmp_path}/own", "question.reviews=3", "question.shown=[0]")
    assert status == DONE and tables["rows"].texts.eq(2).all() and len(tables["words"]) == 0
    assert tables["texts"].words.tolist() == [0, 3, 1] and tables["rows"].compared.max() == 2


def test_a_wrong_explicit_rule_is_a_problem(job, monkeypatch, capsys):
    wrong = replace(catalogue["wsquare"], formula=LRPSignedZPlus)
    monkeypatch.setitem(catalogue, "wsquare", wrong)
    status, tables = job("plan=wsquare", "figures=false")
    assert status == WRONG and (tables["rows"].of_allowed.dropna() > 1).all()
    assert "wsquare: derived and explicit relevance differ by" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data=digits", "'data' must be sentences or imdb; found DigitsConfig"),
        ("model=mlp", "'model' must be reviews; found MLPConfig"),
        ("dtype=float32", "'dtype' must be float64; found float32"),
        ("question.reviews=0", "'question.reviews' must be at least 1; found 0"),
        ("question.reviews=99", "'question.reviews' must be at most the 15 of the test part; found 99"),
        ("question.steps=0", "'question.steps' must be at least 1"),
        ("question.shown=[4]", "'question.shown' must be texts that are explained, 0 to 3; found [4]"),
    ],
)
def test_what_the_question_cannot_use_is_refused(composed, overrides, tmp_path, capsys, override, message):
    group = override.split("=")[0]
    kept = [each for each in overrides if not each.startswith(f"{group}.")]
    assert run(composed(*kept, override), tmp_path) == REFUSED
    assert message in " ".join(capsys.readouterr().out.split())
