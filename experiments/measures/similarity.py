"""How alike two relevance maps of one sample are; each measure is 1 for equal maps, and for maps that both vanish."""

from collections.abc import Callable, Mapping
from importlib import import_module

import torch
from scipy.stats import rankdata
from torch import Tensor

from experiments.measures.agreement import quotient


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of each sample; 0 where one map vanishes. # shape: (B, *in) each -> (B,)"""
    a, b = (unit(m.flatten(1).double()) for m in (a, b))
    both_zero = (a == 0).all(1) & (b == 0).all(1)
    return ((a * b).sum(1)).masked_fill(both_zero, 1.0)


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's rank correlation of each sample, ties with mean ranks; 0 where one map is constant. # shape: as cosine"""
    return cosine(ranks(a), ranks(b))


def absolute_spearman(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's rank correlation of the maps' absolute values (Adebayo 2018). # shape: as cosine"""
    return spearman(a.abs(), b.abs())


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity (Wang 2004) of each sample's maps, channels added up, each divided by its largest |value|.

    The window has side 7, or the largest odd side that the map holds; the range of values is 2.

    # shape: (B, C, H, W) with H, W ≥ 3
    """
    structural_similarity = import_module("skimage.metrics").structural_similarity  # of the extra ``images``
    sums = [m.sum(1).double() for m in (a, b)]
    maps = [quotient(m, m.abs().amax((1, 2), keepdim=True)).numpy() for m in sums]
    side = min(7, *maps[0].shape[1:])
    options = {"data_range": 2.0, "win_size": side - (side + 1) % 2}
    return torch.tensor([structural_similarity(x, y, **options) for x, y in zip(*maps, strict=True)], dtype=torch.float64)


def unit(x: Tensor) -> Tensor:
    """Rows of length 1; zero rows stay. # shape: (B, n)"""
    x = quotient(x, x.abs().amax(1, keepdim=True))  # squares of tiny numbers would vanish
    return quotient(x, x.norm(dim=1, keepdim=True))


def ranks(x: Tensor) -> Tensor:
    """Ranks less their mean; exact, so that a constant map gives zeros. # shape: (B, *in) -> (B, n)"""
    found = rankdata(x.flatten(1).numpy(), axis=1)
    return torch.from_numpy(found - (found.shape[1] + 1) / 2)


SIMILARITIES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "spearman": spearman,
    "absolute_spearman": absolute_spearman,
    "cosine": cosine,
    "ssim": ssim,
}
