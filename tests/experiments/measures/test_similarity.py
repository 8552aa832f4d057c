"""Similarities against scipy, scikit-image and their own bounds."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from experiments.cost.peers import installed
from experiments.measures.similarity import SIMILARITIES, absolute_spearman, cosine, spearman, ssim
from tests.tolerance import RELATIVE

A, B = (torch.randn(4, 2, 6, 5, generator=torch.Generator().manual_seed(s), dtype=torch.double) for s in (0, 1))
CLOSE = RELATIVE[torch.float64]
needs_skimage = pytest.mark.skipif(not installed("skimage"), reason="needs the extra images")


def test_rank_correlations_are_scipys_with_ties_too():
    tied = (A * 2).round()
    for a, b in ((A, B), (tied, B), (tied, tied + (B > 1))):
        expected = [spearmanr(x, y).statistic for x, y in zip(a.flatten(1), b.flatten(1), strict=True)]
        np.testing.assert_allclose(spearman(a, b), expected, rtol=CLOSE)
    expected = [spearmanr(x, y).statistic for x, y in zip(A.abs().flatten(1), B.abs().flatten(1), strict=True)]
    np.testing.assert_allclose(absolute_spearman(A, B), expected, rtol=CLOSE)


def test_the_cosine_is_torchs_whatever_the_scale():
    expected = torch.cosine_similarity(A.flatten(1), B.flatten(1))
    torch.testing.assert_close(cosine(A * 1e-200, B * 1e100), expected, rtol=CLOSE, atol=0)


@needs_skimage
def test_ssim_of_shifted_signs_is_scikit_images():
    from skimage.metrics import structural_similarity

    a, b = ((m := x.sum(1)) / m.abs().amax((1, 2), keepdim=True) for x in (A, B))
    expected = [structural_similarity(x.numpy(), y.numpy(), win_size=5, data_range=2.0) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ssim(A, B * 7), expected, rtol=CLOSE)


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs_skimage if n == "ssim" else ()) for n in SIMILARITIES])
def test_equal_maps_and_vanishing_maps_are_alike(name):
    measure, zero = SIMILARITIES[name], torch.zeros_like(A)
    assert measure(A, 3 * A).numpy() == pytest.approx(1, abs=CLOSE)
    assert measure(zero, zero).numpy() == pytest.approx(1, abs=CLOSE)
    assert bool(measure(A, zero).isfinite().all()) and bool((measure(A, zero) < 0.5).all())
