"""Region perturbation against its definition, step by step, and against Quantus where the definitions agree."""

import numpy as np
import pytest
import torch

from dtd.errors import InputError
from experiments.cost.peers import installed
from experiments.measures.perturbation import (
    Regions,
    aopc,
    counts,
    curve,
    least_relevant_first,
    most_relevant_first,
    random_order,
)
from tests.tolerance import RELATIVE

X = torch.rand(3, 2, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.double)
R = torch.randn(3, 2, 4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.double)
CLOSE = RELATIVE[torch.float64]
needs_quantus = pytest.mark.skipif(not installed("quantus"), reason="needs the extra quantus")


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return (
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
        .double()
        .eval()
    )


def by_hand(score, x, relevance, side, value, sign):
    """One region after another, in loops."""
    blocks = [(i, j) for i in range(0, x.shape[1], side) for j in range(0, x.shape[2], side)]
    totals = [float(relevance[:, i : i + side, j : j + side].sum()) for i, j in blocks]
    drops, gone = [0.0], x.clone()
    for place in np.argsort(sign * np.array(totals)):
        i, j = blocks[place]
        gone[:, i : i + side, j : j + side] = value
        drops.append(float(score(x[None]) - score(gone[None])))
    return drops


@pytest.mark.parametrize("side", [1, 2, 3, 4])
@pytest.mark.parametrize(("order", "sign"), [(most_relevant_first, -1), (least_relevant_first, 1)])
def test_the_curve_is_what_taking_regions_away_one_by_one_gives(side, order, sign):
    net = model().requires_grad_(False)
    score = lambda x: net(x)[:, 1]  # noqa: E731
    regions = Regions.of(X.shape[1:], side)
    found = curve(
        score, X, regions, order(regions.totals(R)), counts(regions.number, None, 1.0), torch.tensor(0.3, dtype=torch.double)
    )
    expected = np.array([by_hand(score, x, r, side, 0.3, sign) for x, r in zip(X, R, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(aopc(found), expected.mean(1), rtol=CLOSE, atol=CLOSE)


def test_steps_are_spread_over_the_share_that_goes():
    assert counts(10, None, 1.0) == list(range(11)) and counts(10, 20, 0.5) == list(range(6))
    assert counts(64, 4, 0.5) == [0, 8, 16, 24, 32]


def test_a_vectors_regions_are_runs_and_equal_ones_keep_their_order():
    regions = Regions.of((5,), 2)
    assert regions.index.tolist() == [0, 0, 1, 1, 2] and regions.number == 3
    totals = regions.totals(torch.ones(1, 5))
    assert totals.tolist() == [[2, 2, 1]]
    assert most_relevant_first(totals).tolist() == [[0, 1, 2]] and least_relevant_first(totals).tolist() == [[2, 0, 1]]


def test_a_random_order_is_a_permutation_that_its_seed_decides():
    draw = lambda seed: random_order(4, 9, torch.Generator().manual_seed(seed))  # noqa: E731
    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))
    assert torch.equal(draw(0).sort(1).values, torch.arange(9).expand(4, 9))


@pytest.mark.parametrize(
    ("shape", "side", "message"), [((2, 3), 1, "shape \\(C, H, W\\) or"), ((4,), 0, "at least 1; found 0")]
)
def test_what_has_no_regions_is_refused(shape, side, message):
    with pytest.raises(InputError, match=message):
        Regions.of(shape, side)


@needs_quantus
@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("side", [1, 2])
def test_our_area_is_that_of_quantus_region_perturbation(side, softmax):
    from experiments.measures.quantus import Setting, evaluate

    net, target = model().requires_grad_(False), torch.tensor([0, 1, 2])
    outputs = (lambda x: net(x).softmax(1)) if softmax else net
    regions = Regions.of(X.shape[1:], side)
    drops = curve(
        lambda x: outputs(x).gather(1, target[:, None])[:, 0],
        *(X, regions, most_relevant_first(regions.totals(R)), counts(regions.number, None, 1.0), torch.tensor(0.25)),
    )
    theirs = evaluate("region_perturbation", net, X, target, R, Setting(0.25, side, 24, softmax, 0))
    np.testing.assert_allclose(drops[:, 1:].mean(1), theirs, rtol=1e-6, atol=1e-7)  # Quantus works in float32
    steps = drops.shape[1]
    np.testing.assert_allclose(aopc(drops), theirs * (steps - 1) / steps, rtol=1e-6, atol=1e-7)


@needs_quantus
def test_our_curve_is_that_of_quantus_pixel_flipping():
    from experiments.measures.quantus import Setting, evaluate

    target, x, relevance = torch.tensor([2, 1, 0]), X[:, :1], R[:, :1]
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 3)).double().requires_grad_(False).eval()
    regions = Regions.of(x.shape[1:], 1)
    score = lambda x: net(x).gather(1, target[:, None])[:, 0]  # noqa: E731
    drops = curve(
        score, x, regions, most_relevant_first(regions.totals(relevance)), counts(24, None, 1.0), torch.tensor(0.0)
    )
    theirs = evaluate("pixel_flipping", net, x, target, relevance, Setting(0.0, 1, 24, False, 0))
    np.testing.assert_allclose(score(x) - drops[:, 1:].mean(1), theirs, rtol=1e-6, atol=1e-7)
