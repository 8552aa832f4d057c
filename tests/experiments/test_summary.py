"""Means over seeds, what is best, and names in print."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dtd.plans.rules import LOOKS
from dtd.plot.style import rule_looks
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
    [("high", [False, False, True, False]), ("low", [True, False, False, False]), (0.0, [True, False, False, False])],
)
def test_the_best_of_each_scene_is_marked_but_not_one_that_is_alone(way, expected):
    index = pd.MultiIndex.from_tuples([("a", "p"), ("a", "q"), ("a", "r"), ("b", "p")], names=["model", "plan"])
    found = pd.DataFrame({"mean": [1.0, 2.0, 3.0, 9.0], "error": 0.1}, index)
    assert list(best(found, Measure("x", way), ["model"])) == expected
    assert not best(found, Measure("x"), ["model"]).any()


@pytest.mark.parametrize(
    ("errors", "expected"), [((0.5, 0.8), True), ((0.6, 0.9), False), ((0.0, 1.1), False), ((0.0, np.nan), False)]
)
def test_nothing_is_best_that_leads_by_less_than_the_standard_error_of_the_difference(errors, expected):
    found = pd.DataFrame({"mean": [2.0, 1.0], "error": errors}, index=["p", "q"])
    assert best(found, Measure("x", "high"), []).any() == expected == (1.0 > np.hypot(*errors))


def test_errors_of_two_samples_do_not_cancel_to_a_perfect_ratio():
    rows = pd.DataFrame({"plan": list("ppqq"), "ratio": [0.0, 2.0, 0.9, 0.9]})
    summary = Summary((), ("plan",), {"ratio": (measure := Measure("ratio", 1.0))})
    found = averaged(rows, summary)["ratio"]
    np.testing.assert_allclose(found["mean"], [1.0, 0.1])
    assert list(best(found, measure, [])) == [False, True] and measure.shown == "|ratio − 1|"


def test_the_standard_error_is_that_over_runs_and_with_one_run_that_over_samples():
    rows = pd.DataFrame({"plan": "p", RUN: [0, 0, 1, 1], "x": [1.0, 3.0, 4.0, 8.0]})
    summary = Summary((), ("plan",), {"x": Measure("x", "high")})
    several, one = averaged(rows, summary)["x"].iloc[0], averaged(rows[rows[RUN] == 1], summary)["x"].iloc[0]
    assert several["error"] == pytest.approx(np.std([2, 6], ddof=1) / np.sqrt(2)) and several["samples"] == 2
    assert one["error"] == pytest.approx(np.std([4, 8], ddof=1) / np.sqrt(2)) and np.isnan(one["std"])


def test_rules_have_one_order_and_one_look_in_every_figure():
    rows = pd.DataFrame({"plan": ["random", "mine", "zplus", "lrp0"], "x": range(4)})
    found = averaged(rows, Summary((), ("plan",), {"x": Measure("x")}))
    assert list(found.index) == ["lrp0", "zplus", "random", "mine"]
    alone, among = rule_looks(["zplus"]), rule_looks(["mine", "zplus, 0.0", "zplus, 1.0", "lrp0"])
    assert (
        alone["zplus"] == among["zplus, 0.0"] == (LOOKS["zplus"].colour, LOOKS["zplus"].marker)
        and len(set(among.values())) == 4
    )


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
