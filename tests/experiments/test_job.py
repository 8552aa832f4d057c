"""The main job in process: rows, exit status, files."""

from dataclasses import replace

import pandas as pd
import pytest

from dtd.affine import AffineMap
from dtd.lrp import LRPGamma
from dtd.network import trace
from dtd.plans.rules import catalogue
from experiments.configs.run import typed
from experiments.models import subjects
from experiments.runs.job import DONE, REFUSED, WRONG, run

TINY = ("model.parts.mlp.epochs=1", "model.parts.cnn.epochs=1", "model.parts.cnn.channels=2", "question.samples=2")
ONE = ("model=mlp", "model.epochs=1", "question.samples=2", "question.rules=[gamma]", "question.biases=[neuron]")
MEASURES = ["max_abs", "max_rel", "allowed", "of_allowed", "cosine", "rank", "conserved_derived", "conserved_explicit"]


@pytest.fixture
def job(composed, tmp_path):
    """Run the main job with overrides; exit status and the directory it wrote to."""

    def start(*overrides: str, into: str = "run"):
        out = tmp_path / into
        out.mkdir()
        return run(composed(*overrides), out), out

    return start


def test_every_rule_bias_precision_and_layer_has_its_row(job, composed):
    status, out = job(*TINY)
    assert status == DONE
    rows = pd.read_csv(out / "rows.csv")
    keys = ["model", "rule", "bias", "dtype", "layer"]
    assert not rows.duplicated(keys).any() and rows[MEASURES].notna().all(axis=None) and rows.agree.all()
    config = typed(composed(*TINY))
    for name, subject in subjects(config.model, config.data).items():
        network = trace(subject.model, subject.test_x[:2], subject.domain)
        affine = {layer.name for layer in network.layers if isinstance(layer.op, AffineMap)} | {"(network)"}
        found = rows[rows.model == name]
        assert len(found) == len(catalogue) * 3 * 2 * len(affine)
        assert set(found.rule) == set(catalogue) and set(found.layer) == affine
    assert {p.name for p in out.iterdir()} == {
        *("rows.csv", "pixels.csv", "roots.csv", "heatmaps.pdf", "heatmaps.png", "config.yaml", "provenance.json"),
        *("outcome.json", "models.json", "job.log", ".lock"),
    }


def test_the_heatmaps_tables_hold_every_rule_on_both_sides(job):
    _, out = job(*TINY, "question.biases=[fixed]", "question.dtypes=[float64]")
    pixels, roots = pd.read_csv(out / "pixels.csv"), pd.read_csv(out / "roots.csv")
    counted = pixels.groupby(["model", "rule", "side"]).size()
    assert (counted == 64).all() and len(counted) == 2 * len(catalogue) * 3
    assert set(roots.rule) == set(catalogue)
    sums = pixels[pixels.model.eq("mlp") & pixels.rule.eq("zplus")].groupby("side")["value"].sum()
    assert sums["derived"] == pytest.approx(1) and sums["explicit"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("other", "dtypes", "caught"),
    [(0.25 + 1e-7, "float64", "float64"), (0.251, "float32", "float32"), (0.26, "float64,float32", "float64")],
)
def test_a_wrong_explicit_rule_makes_the_job_fail_and_is_named(job, monkeypatch, capsys, other, dtypes, caught):
    wrong = replace(catalogue["gamma"], formula=lambda bias="fixed", gamma=0.25: LRPGamma(bias, gamma - 0.25 + other))
    monkeypatch.setitem(catalogue, "gamma", wrong)
    status, out = job(*ONE, f"question.dtypes=[{dtypes}]")
    assert status == WRONG
    rows = pd.read_csv(out / "rows.csv")
    whole = rows[rows.layer == "(network)"]
    assert not whole.agree.any() and set(rows[~rows.agree]["dtype"]) == set(dtypes.split(","))
    assert f"mlp, gamma, bias neuron, {caught}, layer layers.0: derived and explicit differ" in capsys.readouterr().out


def test_a_wrong_bias_convention_is_seen(job, monkeypatch):
    wrong = replace(catalogue["gamma"], formula=lambda bias="fixed", gamma=0.25: LRPGamma("fixed", gamma))
    monkeypatch.setitem(catalogue, "gamma", wrong)
    assert job(*ONE)[0] == WRONG
    assert job(*ONE, "question.biases=[fixed]", into="same")[0] == DONE


def test_the_same_seed_gives_the_same_rows_bit_for_bit_and_another_seed_others(job, cache):
    first = job(*ONE, into="a")[1]
    for path in (cache / "dtd" / "models").iterdir():
        path.unlink()
    second, other = job(*ONE, into="b")[1], job(*ONE, "seed=1", into="c")[1]
    for name in ("rows.csv", "pixels.csv", "roots.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_a_refused_config_leaves_only_the_reason(job, capsys):
    status, out = job("question.rules=[gama]")
    assert status == REFUSED and {p.name for p in out.iterdir()} == {"outcome.json", "job.log", ".lock"}
    assert "'question.rules' must be a rule of the catalogue" in capsys.readouterr().out


def test_more_samples_than_there_are_is_refused(job, capsys):
    status, out = job(*ONE, "question.samples=451")
    assert status == REFUSED and not (out / "rows.csv").exists()
    assert "at most the 450 samples of the test set; found 451" in capsys.readouterr().out
