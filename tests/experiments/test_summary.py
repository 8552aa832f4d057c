"""Means over seeds, what is best, and names in print."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments.figures.summary import RUN, Measure, Summary, averaged, best, form
from experiments.figures.typeset import maths, tex, typeset

SUMMARY = Summary(("model",), ("plan",), {"x": Measure("x", "high")}, only={"last": True})


def test_runs_count_alike_however_many_samples_they_have_and_scenes_stay_together():
    rows = pd.DataFrame(
        [
            *[{"model": "b", "plan": "p", "x": 1.0, "last": True, RUN: 0}] * 3,
            {"model": "a", "plan": "p", "x": 7.0, "last": True, RUN: 0},
            {"model": "b", "plan": "p", "x": 3.0, "last": True, RUN: 1},
            {"model": "b", "plan": "q", "x": 5.0, "last": True, RUN: 1},
            {"model": "b", "plan": "q", "x": 99.0, "last": False, RUN: 1},
        ]
    )
    found = averaged(rows, SUMMARY)["x"]
    assert list(found.index) == [("b", "p"), ("b", "q"), ("a", "p")]
    assert list(found["mean"]) == [2.0, 5.0, 7.0] and list(found["runs"]) == [2, 1, 1]
    assert found["std"].iloc[0] == pytest.approx(np.std([1, 3], ddof=1)) and found["std"].iloc[1:].isna().all()


def test_the_axis_of_curves_rises_whatever_comes_first_in_the_rows():
    rows = pd.DataFrame({"model": list("aabbb"), "plan": "p", "t": [0.0, 1.0, 0.0, 0.5, 1.0], "x": range(5)})
    curves = Summary(("model",), ("plan",), {"x": Measure("x")}, along="t")
    assert list(averaged(rows, curves)["x"]["mean"]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("way", "expected"),
    [("high", [False, True, True, False]), ("low", [True, False, False, False]), (1.5, [True, True, True, False])],
)
def test_the_best_of_each_scene_is_marked_with_its_ties_but_not_one_that_is_alone(way, expected):
    index = pd.MultiIndex.from_tuples([("a", "p"), ("a", "q"), ("a", "r"), ("b", "p")], names=["model", "plan"])
    assert list(best(pd.Series([1.0, 2.0, 2.0, 9.0], index), Measure("x", way), ["model"])) == expected
    assert not best(pd.Series([1.0, 2.0, 2.0, 9.0], index), Measure("x"), ["model"]).any()


@pytest.mark.parametrize(
    ("values", "printed"),
    [([0.5, 0.012], "0.500"), ([123.4, 5], "123"), ([12.3], "12.3"), ([2e-5], "2.0e-05"), ([0.0], "0")],
)
def test_numbers_have_three_digits(values, printed):
    assert f"{values[0]:{form(pd.Series(values))}}" == printed


def test_text_becomes_maths_where_it_must_and_maths_stays_what_it_is():
    assert tex("αβ_1 50 %, z⁺") == r"$\alpha\beta$\_1 50 \%, z$^{+}$"
    assert tex(r"z$^\mathrm{B}$") == r"z$^\mathrm{B}$" and maths("w² a_b") == "w$^{2}$ a_b"


def test_a_figure_in_a_font_of_few_glyphs_has_its_ticks_and_titles_as_maths():
    axes = (figure := Figure()).subplots()
    axes.set_xticks([0, 1], ["w²", "LRP-γ"])
    axes.set_title("Σ |R|")
    typeset(figure, latex=False)
    figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["w$^{2}$", r"LRP-$\gamma$"]
    assert axes.get_title() == r"$\Sigma$ $|$R$|$"
