"""Presets for attention against autograd with the papers' derivatives, on transformers by hand."""

from functools import cache

import pytest
import torch

import dtd
from tests.gradients import Rules, gradient_times_input
from tests.transformers_by_hand import MAKERS, Under, randomised

LENGTHS = (5, 3, 1)
EXACT = 1e-10
HELD = Rules(attention_held=True)
PRESETS = {
    "attnlrp": (dtd.presets.attnlrp(epsilon=0), Rules()),
    "cp_lrp": (dtd.presets.cp_lrp(epsilon=0), HELD),
    "transformers_2022": (dtd.presets.transformers_2022(), HELD),
}


def batch():
    """Three samples of which the last places are padding, and the mask that says so."""
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    return x, torch.arange(5)[None] < torch.tensor(LENGTHS)[:, None]


@cache
def traced(name, padded):
    x, mask = batch()
    model = randomised(MAKERS[name]())
    return model, dtd.trace(model, {"x": x, "mask": mask} if padded else x)


def explained(name, padded, plan, rows=slice(None), **options):
    x, mask = (part[rows] for part in batch())
    network = traced(name, padded)[1]
    return dtd.explain(network, {"x": x, "mask": mask} if padded else x, 1, plan, **options)


def relevance_of(out):
    return out.relevance if isinstance(out.relevance, torch.Tensor) else out.relevance["x"]


def by_autograd(name, padded, rules):
    x, mask = batch()
    return gradient_times_input(Under(traced(name, padded)[0], mask if padded else None), x, lambda y: y[:, 1], rules)


def distance(found, expected):
    """The largest difference, against the largest relevance."""
    assert expected.abs().max() > 0 and found.isfinite().all()
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_gradient_times_input_with_the_papers_derivatives(preset, name, padded):
    plan, rules = PRESETS[preset]
    expected = by_autograd(name, padded, rules)
    for fast in (True, False):
        assert distance(relevance_of(explained(name, padded, plan, fast=fast)), expected) < EXACT


@pytest.mark.parametrize(
    "rules",
    [
        Rules(half=1.0),
        Rules(scale_held=False),
        Rules(norm_bias=False),
        Rules(masked=False),
        HELD,
        None,
    ],
    ids=["no half", "a scale that moves", "the norm's bias left out", "no mask", "attention held", "plain derivatives"],
)
def test_a_broken_oracle_is_seen(rules):
    found = relevance_of(explained("encoder", True, PRESETS["attnlrp"][0]))
    assert distance(found, by_autograd("encoder", True, rules)) > 1e-2


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("gamma", [None, 0.25])
def test_a_padded_sample_is_explained_as_if_it_were_alone(name, gamma):
    plan = dtd.presets.attnlrp(gamma=gamma)
    together = relevance_of(explained(name, True, plan))
    x, mask = batch()
    for row, length in enumerate(LENGTHS):
        inputs = {"x": x[row : row + 1, :length], "mask": mask[row : row + 1, :length]}
        alone = dtd.explain(dtd.trace(traced(name, True)[0], inputs), inputs, 1, plan).relevance["x"]
        assert distance(together[row : row + 1, :length], alone) < EXACT
        assert together[row, length:].abs().sum() == 0


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("preset", [*PRESETS, "identity", "gamma", "distribute", "fixed"])
def test_balances_close_in_every_layer(name, preset):
    others = {
        "identity": dtd.presets.attnlrp(norm="identity"),
        "gamma": dtd.presets.attnlrp(gamma=0.25),
        "distribute": dtd.presets.attnlrp(positions="distribute"),
        "fixed": dtd.presets.attnlrp(positions="fixed"),
    }
    out = explained(name, True, others.get(preset) or PRESETS[preset][0])
    for layer, record in out.layers.items():
        b = record.balance
        terms = b.relevance.abs() + b.first.abs() + b.bias.abs() + b.zeroth.abs() + record.magnitude
        assert (b.gap.abs() <= EXACT * terms).all(), layer
    kept = sum(r.balance.bias + r.balance.zeroth + r.balance.remainder for r in out.layers.values())
    arrived = relevance_of(out).flatten(1).sum(1)
    torch.testing.assert_close(arrived + kept, out.initial.flatten(1).sum(1), rtol=1e-8, atol=1e-10)
    assert kept.abs().max() > 1e-3  # what softmax, biases and positions keep is in the balance


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "plan",
    [dtd.presets.attnlrp(), dtd.presets.attnlrp(gamma=0.25), dtd.presets.attnlrp(norm="identity"), dtd.presets.cp_lrp()],
    ids=["attnlrp", "gamma", "identity", "cp_lrp"],
)
def test_prepared_passes_are_the_definition(name, plan):
    found, defined = (relevance_of(explained(name, True, plan, fast=fast)) for fast in (True, False))
    assert distance(found, defined) < EXACT


def test_attention_that_is_held_hands_nothing_to_queries_and_keys():
    out = explained("encoder", True, PRESETS["cp_lrp"][0])
    softmax = [record for record in out.layers.values() if record.layer.kind == "softmax"]
    assert len(softmax) == 2 and all(record.magnitude.abs().max() == 0 for record in softmax)
    projections = [r for name, r in out.layers.items() if name.endswith((".query", ".key"))]
    assert len(projections) == 4 and all(r.magnitude.abs().max() == 0 for r in projections)
