"""3 × 3 convolutions by minimal filtering, F(4 × 4, 3 × 3): 36 products for 16 outputs where the definition has 144.

``y = Σ_i Aᵀ [(G w_i Gᵀ) ⊙ (Bᵀ a_i B)] A`` on tiles of 4 × 4 outputs and 6 × 6 inputs, summed over input channels before the
outer transform, so that the sums are 36 matrix products. A, G and B interpolate polynomials at 0, ±p, ±1/p and ∞; with
p = 2/3 rounding errors in float32 are one to three times those of the definition, with the usual points five times as large.

Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", Sec. 4.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from dtd.affine.convolution import Convolution

Padding = tuple[tuple[int, int], ...]

TILE = 4  # outputs on each axis; two more inputs
POINT = 2 / 3
POINTS = (0.0, POINT, -POINT, 1 / POINT, -1 / POINT)  # and ∞
SQUARES = POINT**2 + POINT**-2
BLOCK = 2**24  # bytes of transformed inputs and outputs at a time
WIDE = 80  # C_in C_out / (C_in + C_out) from which products outweigh transforms
MANY = 150  # tiles from which transforming the weight pays


def filter_transform() -> Tensor:
    """``G``: what a filter's polynomial is at each point, over what interpolation divides by. # shape: (6, 3)"""
    rows = [[1.0, p, p * p] for p in POINTS]
    scale = [torch.tensor([p - q for q in POINTS if q != p], dtype=torch.double).prod().item() for p in POINTS]
    return torch.tensor([[v / s for v in row] for row, s in zip(rows, scale, strict=True)] + [[0.0, 0.0, 1.0]])


def transformed_filters(weight: Tensor, adjoint: bool) -> Iterator[Tensor]:
    """``G w Gᵀ`` of all filters, row by row: together they have four times the weight's memory.

    The adjoint's filters are turned round, and their channels exchanged. # shape: (K, C, 3, 3) -> (6, C, K), or (6, K, C)
    """
    g = filter_transform().to(weight)
    flat = weight.permute(2, 3, 0, 1).reshape(9, -1)
    for row in g.unsqueeze(1):
        both = torch.kron(row, g)
        if adjoint:
            yield (both.flip(1) @ flat).view(6, *weight.shape[:2])
        else:
            yield (both @ flat).view(6, *weight.shape[:2]).mT


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


def convolve(a: Tensor, weight: Tensor, padding: Padding, bias: Tensor | None, adjoint: bool = False) -> Tensor:
    """The convolution of stride 1, or its adjoint without padding. # shape: (B, C, *in) -> (B, K, *out), channels last"""
    pixels = a.permute(0, 2, 3, 1).contiguous()
    (samples, height, width, c), k = pixels.shape, weight.shape[1 if adjoint else 0]
    (top, bottom), (left, right) = padding
    height_out, width_out = height + top + bottom - 2, width + left + right - 2
    down, across = -(-height_out // TILE), -(-width_out // TILE)
    y = a.new_empty(samples, down * TILE, across * TILE, k)
    outputs = y.view(samples, down, TILE, across, TILE, k)
    parts = blocks(samples, down, across, c + k)
    filters: Iterable[Tensor] = transformed_filters(weight, adjoint)
    if len(parts) > 1:
        filters = list(filters)
    for images, rows in parts:
        n, r = images.stop - images.start, rows.stop - rows.start
        first, last = rows.start * TILE - top, rows.stop * TILE + 2 - top
        region = F.pad(
            pixels[images, max(first, 0) : last],
            (0, 0, left, across * TILE + 2 - left - width, max(-first, 0), max(last - height, 0)),
        )
        half = a.new_empty(6, n, r, region.shape[2], c)
        analyse([region[:, i : i + r * TILE - 3 : TILE] for i in range(6)], half)
        v = a.new_empty(6, 6, n, r, across, c)
        analyse([half[:, :, :, i : i + across * TILE - 3 : TILE] for i in range(6)], v.unbind(1))
        m = a.new_empty(6, 6, n, r, across, k)
        each = iter(filters)
        for inputs, products in zip(v, m, strict=True):
            torch.bmm(inputs.view(6, -1, c), next(each), out=products.view(6, -1, k))
        half = a.new_empty(TILE, 6, n, r, across, k)
        synthesise(m, half)
        synthesise(half.unbind(1), outputs[images, rows].permute(4, 2, 0, 1, 3, 5))
        if bias is not None:
            y[images, rows.start * TILE : rows.stop * TILE].add_(bias)
    return y[:, :height_out, :width_out].contiguous().permute(0, 3, 1, 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class FilteredConvolution(Convolution):
    """A 3 × 3 convolution of stride 1 that is computed by minimal filtering where that pays. Not for autograd."""

    @classmethod
    def suits(cls, affine: Convolution) -> bool:
        """Whether a convolution can be computed so, and has enough channels."""
        c, k = affine.in_shape[0], affine.out_shape[0]
        if affine.kernel != (3, 3) or affine.groups > 1 or any(step > 1 for step in (*affine.stride, *affine.dilation)):
            return False
        return max(map(max, affine.padding)) <= 2 and c * k >= WIDE * (c + k)

    def _pays(self, a: Tensor, weight: Tensor, shape: tuple[int, ...]) -> bool:
        """Whether a batch has enough tiles to repay the filters' transform, in the precision that it was measured in."""
        tiles = len(a) * -(-shape[1] // TILE) * -(-shape[2] // TILE)
        return a.dtype == weight.dtype == torch.float32 and a.device.type == "cpu" and tiles >= MANY

    def _convolve(self, a, weight, bias):
        if not self._pays(a, weight, self.out_shape):
            return super()._convolve(a, weight, bias)
        return convolve(a, weight, self.padding, bias)

    def transpose(self, s, weight):
        if not self._pays(s, weight, self.in_shape):
            return super().transpose(s, weight)
        padding = tuple((2 - before, 2 - after) for before, after in self.padding)
        return convolve(s, weight, padding, None, adjoint=True)
