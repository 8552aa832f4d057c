"""The adjoint of a 3 × 3 convolution by minimal filtering F(4 × 4, 3 × 3): 36 products for 16 values, by definition 144.

``c = Σ_k Aᵀ [(G w_k Gᵀ) ⊙ (Bᵀ s_k B)] A`` on tiles of 4 × 4 values of c and 6 × 6 of s, with each filter turned round,
summed over channels before the outer transform, so that the sums are 36 matrix products. A, G and B interpolate
polynomials at 0, ±p, ±1/p and ∞; with p = 2/3 rounding errors in float32 stay near those of the definition.

These errors scale with the largest value of a tile. An adjoint is multiplied afterwards, so they stay small beside the
relevance; forward sums become denominators, where a small one beside large ones would be lost: those are computed by
definition.

Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", Sec. 4.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine import Convolution
from dtd.fast.kernels.narrow import ConvolutionPasses

Padding = tuple[tuple[int, int], ...]

TILE = 4  # outputs on each axis; two more inputs
POINT = 2 / 3
POINTS = (0.0, POINT, -POINT, 1 / POINT, -1 / POINT)  # and ∞
SQUARES = POINT**2 + POINT**-2
BLOCK = 2**24  # bytes of transformed inputs and outputs at a time
WIDE = 80  # C_in C_out / (C_in + C_out) from which products outweigh transforms
MANY = 150  # tiles from which transforming the weight pays


@cache
def filter_transform() -> Tensor:
    """``G``: what a filter's polynomial is at each point, over what interpolation divides by. # shape: (6, 3)"""
    rows = [[1.0, p, p * p] for p in POINTS]
    scale = [torch.tensor([p - q for q in POINTS if q != p], dtype=torch.double).prod().item() for p in POINTS]
    found = [[v / s for v in row] for row, s in zip(rows, scale, strict=True)] + [[0.0, 0.0, 1.0]]
    return torch.tensor(found, dtype=torch.double)


def transformed_filters(weight: Tensor) -> Iterator[Tensor]:
    """``G w Gᵀ`` of all filters turned round, row by row: together they have four times the weight's memory.

    # shape: (K, C, 3, 3) -> six times (6, K, C)
    """
    g = filter_transform().to(weight)
    flat = weight.permute(2, 3, 0, 1).reshape(9, -1)
    for row in g.unsqueeze(1):
        yield (torch.kron(row, g).flip(1) @ flat).view(6, *weight.shape[:2])


def analyse(a: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """``Bᵀ`` on one axis: six inputs to what their polynomial is at each point."""
    for place, p in ((1, POINT), (3, 1 / POINT)):
        odd = torch.sub(a[3], a[1], alpha=p**-2)
        even = torch.sub(a[4], a[2], alpha=p**-2)
        torch.add(even, odd, alpha=p, out=out[place])
        torch.sub(even, odd, alpha=p, out=out[place + 1])
    torch.add(a[0], a[4], out=out[0]).sub_(a[2], alpha=SQUARES)
    torch.add(a[1], a[5], out=out[5]).sub_(a[3], alpha=SQUARES)


def synthesise(m: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """``Aᵀ`` on one axis: products at each point to four outputs."""
    p, q = POINT, 1 / POINT
    even, odd, further_even, further_odd = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    torch.add(m[0], even, out=out[0]).add_(further_even)
    torch.mul(odd, p, out=out[1]).add_(further_odd, alpha=q)
    torch.mul(even, p**2, out=out[2]).add_(further_even, alpha=q**2)
    torch.add(m[5], odd, alpha=p**3, out=out[3]).add_(further_odd, alpha=q**3)


def blocks(samples: int, down: int, across: int, channels: int) -> list[tuple[slice, slice]]:
    """Samples and rows of tiles that fit into ``BLOCK`` bytes of float32."""
    most = max(1, BLOCK // (36 * 4 * channels))
    images = max(1, most // (down * across))
    rows = -(-down // -(-down // max(1, most // across)))  # as even as they can be
    starts = product(range(0, samples, images), range(0, down, rows))
    return [(slice(i, min(i + images, samples)), slice(top, min(top + rows, down))) for i, top in starts]


def adjoint(s: Tensor, weight: Tensor, padding: Padding) -> Tensor:
    """``Σ_k w_kj s_k``; ``padding`` is what s needs around it. # shape: (B, K, *out) -> (B, C, *in), channels last"""
    pixels = s.permute(0, 2, 3, 1).contiguous()
    (samples, height, width, k), c = pixels.shape, weight.shape[1]
    (top, bottom), (left, right) = padding
    height_in, width_in = height + top + bottom - 2, width + left + right - 2
    down, across = -(-height_in // TILE), -(-width_in // TILE)
    y = s.new_empty(samples, down * TILE, across * TILE, c)
    tiles = y.view(samples, down, TILE, across, TILE, c)
    parts = blocks(samples, down, across, c + k)
    filters: Iterable[Tensor] = transformed_filters(weight)
    if len(parts) > 1:
        filters = list(filters)
    for images, rows in parts:
        n, r = images.stop - images.start, rows.stop - rows.start
        first, last = rows.start * TILE - top, rows.stop * TILE + 2 - top
        region = F.pad(
            pixels[images, max(first, 0) : last],
            (0, 0, left, across * TILE + 2 - left - width, max(-first, 0), max(last - height, 0)),
        )
        half = s.new_empty(6, n, r, region.shape[2], k)
        analyse([region[:, i : i + r * TILE - 3 : TILE] for i in range(6)], half.unbind(0))
        v = s.new_empty(6, 6, n, r, across, k)
        analyse([half[:, :, :, i : i + across * TILE - 3 : TILE] for i in range(6)], v.unbind(1))
        m = s.new_empty(6, 6, n, r, across, c)
        each = iter(filters)
        for inputs, products in zip(v, m, strict=True):
            torch.bmm(inputs.view(6, -1, k), next(each), out=products.view(6, -1, c))
        half = s.new_empty(TILE, 6, n, r, across, c)
        synthesise(m.unbind(0), half.unbind(0))
        synthesise(half.unbind(1), tiles[images, rows].permute(4, 2, 0, 1, 3, 5).unbind(0))
    found = y[:, :height_in, :width_in].contiguous()
    return found.masked_fill_(unreached(pixels, padding), 0).permute(0, 3, 1, 2)


def unreached(pixels: Tensor, padding: Padding) -> Tensor:
    """Where a window holds nothing but zeros: filtering leaves rounding errors of its tile there. # shape: (B, *in, 1)"""
    (top, bottom), (left, right) = padding
    largest = F.pad(torch.linalg.vector_norm(pixels, torch.inf, -1), (left, right, top, bottom))
    return F.max_pool2d(largest.unsqueeze(1), 3, stride=1).eq(0).permute(0, 2, 3, 1)


@dataclass(frozen=True, eq=False)
class FilteredConvolution(ConvolutionPasses):
    """A 3 × 3 convolution of stride 1 whose adjoint is computed by minimal filtering where that pays. Not for autograd."""

    @classmethod
    def suits(cls, affine: Convolution) -> bool:
        """Whether a convolution's adjoint can be computed so, and has enough channels."""
        c, k = affine.in_shape[0], affine.out_shape[0]
        if affine.kernel != (3, 3) or affine.groups > 1 or any(step > 1 for step in (*affine.stride, *affine.dilation)):
            return False
        return max(map(max, affine.padding)) <= 2 and c * k >= WIDE * (c + k)

    def transpose(self, s: Tensor, weight: Tensor) -> Tensor:
        _, height, width = self.affine.in_shape
        tiles = len(s) * -(-height // TILE) * -(-width // TILE)
        if tiles < MANY or s.device.type != "cpu" or not s.dtype == weight.dtype == torch.float32:
            return self.affine.transpose(s, weight)
        return adjoint(s, weight, tuple((2 - before, 2 - after) for before, after in self.affine.padding))
