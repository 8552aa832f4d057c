"""Root validity against roots that are written out by hand, and against the anchor's figures."""

import pandas as pd
import pytest
import torch

from dtd.audit import audit
from experiments.configs.base import ConfigError
from experiments.configs.run import typed
from experiments.figures.validity import validity_figures
from experiments.models import subjects
from experiments.questions import validity
from experiments.questions.cases import cases

ANCHOR = {"lrp0": (0.0, 0.83), "gamma": (0.0, 0.43), "zplus": (0.0, 0.004), "alphabeta": (0.26, 0.38)}
SPREAD = {"lrp0": 0.035, "gamma": 0.115, "zplus": 0.009, "alphabeta": 0.07}  # of one draw of 200 units at one point
SMALL = ("experiment=validity_anchor", "data.samples=20", "question.samples=20")


def by_hand(rule: str, a: torch.Tensor, w: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Root points with γ = 1/4, α = 2, β = 1. # shape: (B, K, J)"""
    a, positive = a[:, None], w > 0
    plus, minus = a * positive, a * ~positive

    def at(v):
        return a - (z / (v * w).sum(-1))[..., None] * v

    roots = {"lrp0": lambda: at(a + 0 * w), "gamma": lambda: at(a + 0.25 * plus), "zplus": lambda: at(plus)}
    return (2 * at(plus) - at(minus)) if rule == "alphabeta" else roots[rule]()


def test_the_shares_are_those_of_roots_written_out_by_hand(composed):
    config = typed(composed(*SMALL))
    found = validity.rows(config)
    (subject,) = subjects(config.model, config.data).values()
    layer, x = subject.model.layers[0].double(), subject.test_x.double()
    z, positive = layer(x), (layer.bias > 0)
    for row in found.itertuples():
        counted = (z > 0) & (positive if row.bias_sign == "b > 0" else ~positive)
        left = (by_hand(row.plan, x, layer.weight, z) < -1e-12).any(-1)
        assert row.units == counted.sum() and row.left == pytest.approx((left & counted).sum().item() / row.units)
        assert row.left == row.domain_left and row.inactive == row.no_root == 0 and row.valid == pytest.approx(1 - row.left)


def test_the_anchors_figures_lie_within_the_spread_of_single_draws(composed):
    found = validity.rows(typed(composed("experiment=validity_anchor"))).set_index(["plan", "bias_sign"]).left
    for rule, expected in ANCHOR.items():
        for sign, share in zip(validity.SIGNS, expected, strict=True):
            assert found[rule, sign] == pytest.approx(share, abs=0 if share == 0 else 2 * SPREAD[rule])


def test_both_signs_together_are_the_audit(composed):
    config = typed(
        composed(
            "experiment=validity", "model=cnn", "model.epochs=1", "model.channels=2", "plan=gamma", "question.samples=3"
        )
    )
    found = validity.rows(config)
    (case,) = cases(config, 3)
    expected = audit(case.network, case.x, case.target, case.plans["gamma"]).set_index("layer")
    own = found[found.weights == "own"]
    for layer, part in own.groupby("layer"):
        assert part.units.sum() == expected.units[layer]
        for share in validity.SHARES:
            mean = (part[share] * part.units).sum() / part.units.sum()
            assert mean == pytest.approx(float(expected[share][layer]), abs=1e-12)
    assert list(own.drop_duplicates("layer").layer) == [layer.name for layer in case.network.weighted]
    assert set(found.weights) == {"own", "random"} and not found[found.weights == "random"].valid.equals(own.valid)


def test_a_layer_without_a_bias_counts_as_not_positive(composed):
    found = validity.rows(typed(composed(*SMALL, "model.biases=zero", "plan=lrp0")))
    assert list(found.bias_sign) == ["b ≤ 0"] and found.valid.item() == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.samples=0", "'question.samples' must be at least 1"),
        ("question.units=0", "'question.units' must be at least 1, or null"),
        ("question.weights=[]", "'question.weights' must be not empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(composed, override, message):
    with pytest.raises(ConfigError, match=message):
        validity.check(typed(composed("question=validity", override)))


def test_the_figure_has_a_matrix_for_each_scene_with_the_shares_in_it():
    label = {"model": "net", "weights": "own", "position": 1, "valid": 0.25, "left": 0.5}
    rows = pd.DataFrame(
        [{**label, "plan": plan, "bias_sign": sign} for plan in ("gamma", "lrp0") for sign in validity.SIGNS]
    )
    figures = validity_figures({"rows": rows})
    panels = [axes for axes in figures["validity"].axes if axes.images and axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["its own weights, b ≤ 0", "its own weights, b > 0"]
    assert {text.get_text() for axes in panels for text in axes.texts} == {"25"}
    assert {text.get_text() for axes in figures["left"].axes for text in axes.texts} == {"50"}
