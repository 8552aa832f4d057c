"""Sums over windows side by side: those of the matrices of their definition."""

import pytest
import torch
from torch import nn

import dtd
from dtd.affine import WindowSum
from dtd.fast.kernels import Passes, fastest
from dtd.fast.kernels.tiles import TiledSum

TILES = {
    "halves": (nn.AvgPool2d(2), (3, 8, 6)),
    "rest": (nn.AvgPool2d((3, 2)), (2, 11, 7)),
    "all": (nn.AdaptiveAvgPool2d(1), (3, 7, 49)),
    "as it is": (nn.AdaptiveAvgPool2d(5), (2, 5, 5)),
    "adaptive": (nn.AdaptiveAvgPool2d((4, 1)), (2, 12, 3)),
    "sums": (nn.AvgPool2d((1, 7), divisor_override=1), (2, 3, 49)),
}
OTHERS = {
    "overlapping": (nn.AvgPool2d(3, 2), (2, 9, 9)),
    "gaps": (nn.AvgPool2d(2, 3), (2, 9, 9)),
    "one window of several": (nn.AvgPool2d(2, 3), (1, 4, 4)),
    "every other place": (nn.AvgPool2d(1, 2), (2, 2, 2)),
    "padded": (nn.AvgPool2d(2, 2, padding=1), (2, 8, 8)),
    "ceil": (nn.AvgPool2d(2, 2, ceil_mode=True), (2, 7, 8)),
    "uneven": (nn.AdaptiveAvgPool2d(3), (2, 7, 7)),
    "1d": (nn.AvgPool1d(2), (2, 8)),
    "3d": (nn.AvgPool3d(2), (1, 4, 4, 4)),
}


def window_sum(model: nn.Module, shape: tuple[int, ...]) -> WindowSum:
    x = torch.rand(2, *shape, dtype=torch.double)
    (layer,) = dtd.trace(model, x).layers
    assert type(layer.op) is WindowSum
    return layer.op


@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", sorted(TILES))
def test_tiles_have_the_passes_of_the_definition(name, layout, samples):
    model, shape = TILES[name]
    affine = window_sum(model, shape)
    tiled = fastest(affine)
    assert type(tiled) is TiledSum
    a = torch.randn(samples, *affine.in_shape, dtype=torch.double).to(memory_format=layout)
    s = torch.randn(samples, *affine.out_shape, dtype=torch.double).to(memory_format=layout)
    weight = torch.randn(affine.out_shape[1:], dtype=torch.double)
    for w in (affine.weight, weight):
        torch.testing.assert_close(tiled.linear(a, w), affine.linear(a, w))
        torch.testing.assert_close(tiled.transpose(s, w), affine.transpose(s, w))
    torch.testing.assert_close(tiled.apply(a), model(a) if samples else affine.apply(a))


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_windows_keep_their_passes(name):
    affine = window_sum(*OTHERS[name])
    assert type(fastest(affine)) is Passes


def test_every_entry_of_a_large_tile_gets_its_own():
    """Of 41 places each, in float32: there 41 × (1/41) < 1, so that scaled positions fall short of the next tile."""
    affine = fastest(dtd.trace(nn.AvgPool2d((41, 1)), torch.rand(2, 1, 123, 1)).layers[0].op)
    s = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 3, 1)
    assert torch.equal(affine.transpose(s, torch.ones(())), s.repeat_interleave(41, 2))
