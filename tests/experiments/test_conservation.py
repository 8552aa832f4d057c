"""The balance of a network: what reaches the input and what layers keep add up, in every bias mode."""

import pandas as pd
import pytest
import torch

from dtd.explaining.explain import explain
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.figures.conservation import conservation_figures
from experiments.questions import conservation
from experiments.questions.cases import cases

SMALL = ("question=conservation", "model=cnn", "model.epochs=1", "model.channels=2", "question.samples=3")


def asked(composed, *overrides: str) -> dict[str, pd.DataFrame]:
    config = typed(composed(*SMALL, *overrides))
    conservation.check(config)
    return dict(conservation.tables(config))


def test_parts_add_up_to_the_explained_output_in_every_bias_mode(composed):
    found = asked(composed)
    totals = found["totals"]
    assert len(totals) == 7 * 3 and (totals[["input", *conservation.KEPT]].sum(axis=1) - 1).abs().max() < 1e-9
    assert conservation.problems(found) == []
    rows = found["rows"]
    parts = rows[["first", *conservation.KEPT]].sum(axis=1)
    assert (parts - rows.arrived).abs().max() < 1e-9 * rows.arrived.abs().max()
    assert (rows[rows.bias_mode == "fixed"].bias == 0).all() and (rows[rows.bias_mode == "neuron"].bias != 0).any()
    assert (rows[rows.plan == "epsilon"].zeroth != 0).any()


def test_what_reaches_the_input_is_the_explanations_sum(composed):
    found = asked(composed, "plan=gamma", "question.biases=[neuron]")["totals"].iloc[0]
    (case,) = cases(typed(composed(*SMALL, "plan=gamma", "bias=neuron")), 3)
    expected = explain(case.network, case.x, case.target, case.plans["gamma"])
    assert found["input"] == pytest.approx((expected.relevance.sum() / expected.initial.sum()).item(), rel=1e-12)
    assert found.bias_mode == "neuron"


def test_without_modes_each_plan_has_its_own_or_the_runs(composed):
    assert set(asked(composed, "plan=epsilon", "question.biases=null")["totals"].bias_mode) == {"own"}
    assert set(asked(composed, "plan=epsilon", "question.biases=null", "bias=fixed")["totals"].bias_mode) == {"fixed"}
    with pytest.raises(ConfigError, match="'bias' must be left out where 'question.biases' names the modes"):
        asked(composed, "bias=fixed")


def test_a_balance_that_does_not_close_is_a_problem(composed, monkeypatch):
    found = asked(composed, "plan=gamma", "question.biases=[fixed]")
    lost = {**found, "totals": found["totals"].assign(gap=1e-3)}
    assert conservation.problems(lost) == [
        "cnn, gamma, bias fixed: what reaches the input and what layers keep add up to the explained output only up to 0.001"
    ]
    assert conservation.problems({**found, "totals": found["totals"].assign(gap=float("nan"))})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.samples=0", "'question.samples' must be at least 1"),
        ("question.biases=[]", "'question.biases' must be null or not empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(composed, override, message):
    with pytest.raises(ConfigError, match=message):
        asked(composed, override)


def test_the_bars_are_the_totals(composed):
    found = asked(composed, "plan=four_rules", "question.biases=[fixed,neuron]")
    panels = [axes for axes in conservation_figures(found)["conservation"].axes if axes.containers]
    assert [axes.get_title() for axes in panels] == ["CNN, bias: fixed", "CNN, bias: neuron"]
    for axes, mode in zip(panels, ("fixed", "neuron"), strict=True):
        heights = torch.tensor([[bar.get_height() for bar in container] for container in axes.containers])
        expected = found["totals"][found["totals"].bias_mode == mode][["input", *conservation.KEPT]].to_numpy()
        torch.testing.assert_close(heights.double().T, torch.tensor(expected))
