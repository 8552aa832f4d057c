"""The measures of agreement, on cases whose answer is known."""

import pytest
import torch

from experiments.measures.agreement import ROUNDOFF, TOLERANCE, agreement, cosine, rank_correlation

E = torch.tensor([[1.0, -2.0, 4.0, 0.0]], dtype=torch.double)
NONE = torch.zeros_like(E)


def test_equal_relevance_agrees_perfectly():
    found = agreement(E, E, NONE)
    assert (found.max_abs, found.max_rel, found.of_allowed) == (0, 0, 0)
    assert found.cosine == pytest.approx(1) and found.rank == 1 and found.agree


def test_errors_are_relative_to_the_largest_relevance_of_the_sample():
    both = torch.cat([E, 1000 * E])
    found = agreement(both + torch.tensor([[1.0], [0.0]]), both, torch.cat([NONE, NONE]))
    assert found.max_abs == 1 and found.max_rel == pytest.approx(1 / 4)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("share", "agree"), [(0.9, True), (1.1, False)])
def test_the_limit_is_the_tolerance_plus_the_rounding_of_both_sides(dtype, share, agree):
    rounding = torch.full_like(E, 2.0**12)  # in units of u: a difference that float32 can hold
    limit = TOLERANCE[dtype] * 4 + 2 * ROUNDOFF[dtype] * 2**12
    assert agreement((E + share * limit).to(dtype), E.to(dtype), rounding).agree is agree


def test_each_entry_has_its_own_limit():
    rounding = torch.tensor([[0.0, 0.0, 1e12, 0.0]], dtype=torch.double)
    shift = torch.tensor([[0.0, 0.0, 1e-5, 0.0]], dtype=torch.double)
    assert agreement(E + shift, E, rounding).agree
    assert not agreement(E + shift.roll(1), E, rounding).agree


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_disagrees(bad):
    assert not agreement(E + bad, E, NONE).agree


def test_cosine_is_that_of_the_worst_sample():
    d = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.double)
    e = torch.tensor([[2.0, 0.0], [1.0, 0.0]], dtype=torch.double)
    assert cosine(d, e) == pytest.approx(0.5**0.5)
    assert cosine(0 * d, 0 * e) == 1 and cosine(0 * d, e) == 0


def test_rank_correlation_is_spearmans():
    d = torch.tensor([[1.0, 2.0, 3.0, 4.0]], dtype=torch.double)
    assert rank_correlation(d, d.exp(), 1e-10) == pytest.approx(1)
    assert rank_correlation(d, -d, 1e-10) == pytest.approx(-1)
    assert rank_correlation(d, d[:, [1, 0, 2, 3]], 1e-10) == pytest.approx(0.8)


def test_ties_are_not_ranked_by_their_rounding_errors():
    e = torch.ones(1, 50, dtype=torch.double)
    d = e + 1e-14 * torch.randn(1, 50, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    assert rank_correlation(d, e, 1e-10) == 1
    assert rank_correlation(torch.arange(50.0)[None].double(), e, 1e-10) == 0
