"""A question of one's own: the docs page is followed to the letter, in a copy of the house."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own_question.md").read_text(encoding="utf-8")
STEP = re.compile(r"^(New file|Add to) `([^`]+)`(?:, in `(\w+)`)?:\n\n```\w+\n(.*?)```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    (python -m experiments .*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """The packages, with what the page says: new files written, lines added at the end of a file or of a mapping in it."""
    copy = tmp_path_factory.mktemp("house")
    for package in ("dtd", "proofs", "experiments", "conf", "hydra_plugins"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for how, name, mapping, text in STEP.findall(PAGE):
        file = copy / name
        assert file.exists() == (how == "Add to"), name
        if mapping:
            before, opened, after = file.read_text().partition(re.search(rf"^{mapping}\b.*{{$", file.read_text(), re.M)[0])
            file.write_text(f"{before}{opened}\n{text}{after.lstrip()}")
        else:
            file.write_text(f"{file.read_text()}\n\n{text}" if file.exists() else text)
    return copy


def asked(house: Path, cache: Path, *further: str) -> subprocess.CompletedProcess:
    """The page's command in the copy."""
    command = COMMAND.findall(PAGE)[0]
    wanted = [sys.executable, *shlex.split(command)[1:], "hydra.run.dir=out", *further]
    around = {**os.environ, "PYTHONPATH": str(house), "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(wanted, cwd=house, env=around, capture_output=True, text=True, check=False)


def test_the_page_says_what_each_of_its_four_files_gets():
    assert [(how, name) for how, name, *_ in STEP.findall(PAGE)] == [
        ("Add to", "experiments/configs/questions/explanations.py"),
        ("Add to", "experiments/configs/questions/__init__.py"),
        ("New file", "conf/question/concentration.yaml"),
        ("New file", "experiments/questions/concentration.py"),
    ]


def test_the_question_is_answered_as_the_page_says(house, cache):
    ended = asked(house, cache, "model.epochs=1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = pd.read_csv(house / "out" / "rows.csv")
    assert rows["sample"].nunique() == 8 and rows.plan.nunique() > 1
    whole = rows[rows.inputs == 1].held
    assert len(whole) and (whole - 1).abs().max() < 1e-9
    means = rows.groupby(["plan", "sample", "inputs"]).held.mean().unstack()
    assert (means.diff(axis=1).iloc[:, 1:] >= -1e-9).all(axis=None)
    assert "share" in ended.stdout and all((house / "out" / f"concentration.{kind}").exists() for kind in ("pdf", "png"))


def test_the_report_knows_the_question(house, cache):
    around = {**os.environ, "PYTHONPATH": str(house), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-m", "experiments.report", "out"]
    ended = subprocess.run(command, cwd=house, env=around, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_value_that_it_cannot_use_is_refused(house, cache):
    refused = asked(house, cache, "question.inputs=[2]")
    assert refused.returncode == 2
    assert "'question.inputs' must be shares above 0 and up to 1; found [2.0]" in refused.stdout
